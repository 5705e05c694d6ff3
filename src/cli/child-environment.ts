import { reservationOf } from "../contract/reserved-name.ts";
import { CliError } from "./cli-error.ts";

/** With these a child could get more than it is given: what we are told ourselves, and where a job's identity token is fetched. */
const OWN = /^(?:KEYHOLE_|ACTIONS_ID_TOKEN_REQUEST_)/i;

/**
 * The environment of a child: the parent's, and the secrets.
 *
 * @throws {CliError} when a secret would take the place of a variable that decides which code a process runs, or cannot be a variable.
 */
export function childEnvironment(parent: NodeJS.ProcessEnv, secrets: Readonly<Record<string, string>>, passToken: boolean): NodeJS.ProcessEnv {
  for (const [name, value] of Object.entries(secrets)) {
    const reserved = reservationOf(name);
    if (reserved)
      throw new CliError(
        `the secret ${name} would replace a protected variable (${reserved.pattern}: ${reserved.category})`,
        "name the ones you want with --only, or rename it",
      );
    if (value.includes("\0"))
      throw new CliError(
        `the value of ${name} holds a NUL, which no environment can`,
        "name the ones you want with --only, and read this one with `keyhole resolve`",
      );
  }
  return { ...Object.fromEntries(Object.entries(parent).filter(([name]) => passToken || !OWN.test(name))), ...secrets };
}
