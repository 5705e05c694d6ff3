import * as z from "zod";
import { problemCodeSchema } from "./problem.ts";
import { scopeSchema } from "./scope.ts";

/** How many secrets one import may hold. */
export const MAX_IMPORTED = 500;

/** What in a file or a value is likely meant in another way than it is read, so that it is refused unless it is allowed. */
export const DOUBTS = {
  duplicate: "a name that is given twice: the last value counts",
  comment: "a `#` in a value without quotes: what comes after it is a comment",
  escape: '`\\"` within double quotes: the backslash stays',
  expansion: "`${NAME}` or `$(…)` outside of single quotes: it stays as it is",
  encrypted: "a value that SOPS (`ENC[…]`) or dotenvx (`encrypted:…`) has encrypted",
  reference: "a reference (`op://…`) in the place of a value",
} as const;
export type Doubt = keyof typeof DOUBTS;
export const DOUBT_KINDS = Object.keys(DOUBTS) as [Doubt, ...Doubt[]];

/** What an import may leave out instead of refusing it. */
export const SKIPPABLE = ["empty", "reserved"] as const;
export type Skippable = (typeof SKIPPABLE)[number];

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
