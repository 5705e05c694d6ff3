import * as z from "zod";
import { DOUBTS, type Doubt, SKIPPABLE, type Skippable } from "./doubts.ts";
import { problemCodeSchema } from "./problem.ts";
import { scopeSchema } from "./scope.ts";

export { DOUBTS, type Doubt, SKIPPABLE, type Skippable };

/** How many secrets one import may hold. */
export const MAX_IMPORTED = 500;

export const DOUBT_KINDS = Object.keys(DOUBTS) as [Doubt, ...Doubt[]];

/** `POST /v1/import`. Names and values are checked together, so that everything wrong is listed at once. */
export const importSchema = z
  .strictObject({
    scope: scopeSchema,
    secrets: z.record(z.string(), z.union([z.string(), z.boolean().transform(String)], { error: "a value is text, a number or a boolean" })).meta({
      description: "Up to 500 names and values; numbers and booleans are taken as they are written.",
      example: { OPENAI_API_KEY: "sk-example-not-a-key" },
    }),
  })
  .meta({ id: "Import", example: { scope: "namespace:prod", secrets: { OPENAI_API_KEY: "sk-example-not-a-key" } } });

const namesSchema = z.array(z.string());

export const importReplySchema = z
  .object({
    created: namesSchema,
    updated: namesSchema,
    unchanged: namesSchema,
    skipped: z
      .array(z.object({ name: z.string(), reason: z.enum(SKIPPABLE) }))
      .optional()
      .meta({ description: "What was left out, with `skip`." }),
    failed: z
      .array(z.object({ name: z.string(), code: problemCodeSchema, detail: z.string() }))
      .optional()
      .meta({ description: "Of a scope in a store: what the store has not taken, or may not have taken. Of the others nothing is undone." }),
  })
  .meta({ id: "ImportReply", description: "The names, by what became of them.", example: { created: ["OPENAI_API_KEY"], updated: [], unchanged: [] } });
export type ImportReply = z.infer<typeof importReplySchema>;
