import * as z from "zod";
import { SECRET_NAME, variableOf, whole } from "./grammar.ts";

/** The name of a secret, case-sensitive. */
export const secretNameSchema = z
  .string()
  .regex(whole(SECRET_NAME), {
    error: "a name is 1 to 128 letters, digits, '_', '.' or '-' and starts with a letter or '_'",
  })
  // In a reply it would be a member that JavaScript's objects have already: programs would lose it, or take it for theirs.
  .refine((name) => name !== "__proto__", { error: "the name __proto__ is not taken" })
  .brand<"SecretName">()
  .meta({ id: "SecretName", description: "The name of a secret, case-sensitive; `__proto__` is none.", example: "OPENAI_API_KEY" });

export type SecretName = z.infer<typeof secretNameSchema>;

/** The environment variable a secret becomes: its name in upper case with `-` and `.` as `_` (`openai-key` → `OPENAI_KEY`). */
export function envName(name: SecretName): string {
  return variableOf(name);
}
