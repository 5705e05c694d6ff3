import * as z from "zod";
import { scopeSchema } from "./scope.ts";

/** How many secrets one import may hold. */
export const MAX_IMPORTED = 500;

/** `POST /v1/import`. Names and values are checked together, so that everything wrong is listed at once. */
export const importSchema = z
  .strictObject({
    scope: scopeSchema,
    secrets: z
      .record(z.string(), z.string({ error: "a value is text" }))
      .meta({ description: "Up to 500 names and values.", example: { OPENAI_API_KEY: "sk-example-not-a-key" } }),
  })
  .meta({ id: "Import", example: { scope: "namespace:prod", secrets: { OPENAI_API_KEY: "sk-example-not-a-key" } } });

const namesSchema = z.array(z.string());

export const importReplySchema = z
  .object({ created: namesSchema, updated: namesSchema, unchanged: namesSchema })
  .meta({ id: "ImportReply", description: "The names, by what became of them.", example: { created: ["OPENAI_API_KEY"], updated: [], unchanged: [] } });
export type ImportReply = z.infer<typeof importReplySchema>;
