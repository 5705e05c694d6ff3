import * as z from "zod";
import { SECRET_NAME, whole } from "./grammar.ts";

/** The name of a secret, case-sensitive. */
export const secretNameSchema = z
  .string()
  .regex(whole(SECRET_NAME), {
    error: "a name is 1 to 128 letters, digits, '_', '.' or '-' and starts with a letter or '_'",
  })
  .brand<"SecretName">()
  .meta({ id: "SecretName", description: "The name of a secret, case-sensitive.", example: "OPENAI_API_KEY" });

export type SecretName = z.infer<typeof secretNameSchema>;

/** The environment variable a secret becomes: its name in upper case with `-` and `.` as `_` (`openai-key` → `OPENAI_KEY`). */
export function envName(name: SecretName): string {
  return name.toUpperCase().replace(/[-.]/g, "_");
}
