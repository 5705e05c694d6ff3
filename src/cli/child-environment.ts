import { matches } from "../contract/pattern.ts";
import { ALWAYS_RESERVED } from "../contract/reserved-name.ts";
import { CliError } from "./cli-error.ts";

/** Ours, and none of the child's business unless it is asked for. */
const OWN = ["KEYHOLE_TOKEN", "KEYHOLE_IDENTITY"];

/**
 * The environment of a child: the parent's, and the secrets.
 *
 * @throws {CliError} when a secret would take the place of a variable that decides which code a process runs, or cannot be a variable.
 */
export function childEnvironment(parent: NodeJS.ProcessEnv, secrets: Readonly<Record<string, string>>, passToken: boolean): NodeJS.ProcessEnv {
  for (const [name, value] of Object.entries(secrets)) {
    const pattern = ALWAYS_RESERVED.find((reserved) => matches(reserved, name));
    if (pattern) throw new CliError(`the secret ${name} would replace a protected variable (${pattern})`, "name the ones you want with --only, or rename it");
    if (value.includes("\0"))
      throw new CliError(
        `the value of ${name} holds a NUL, which no environment can`,
        "name the ones you want with --only, and read this one with `keyhole resolve`",
      );
  }
  const own = passToken ? [] : OWN;
  return { ...Object.fromEntries(Object.entries(parent).filter(([name]) => !own.includes(name))), ...secrets };
}
