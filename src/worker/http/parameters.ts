import { z } from "zod";

/** A secret's id in a path. */
export const secretIdSchema = z.string().max(64).meta({ description: "A secret's id.", example: "sec_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c" });

/** The headers of a conditional write. */
export const conditionsSchema = z.object({
  "if-match": z
    .string()
    .optional()
    .meta({ description: "Write only if the secret has one of these entity tags (or `*`: if it exists).", example: '"sec_1f0c2b7a9d3e4f5a.3"' }),
  "if-none-match": z.string().optional().meta({ description: "`*`: write only if the secret does not exist.", example: "*" }),
});
