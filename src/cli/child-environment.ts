import { reservationOf } from "../contract/reserved-name.ts";
import { CliError, usageError } from "./cli-error.ts";

/** With these a child could get more than it is given: what we are told ourselves, and where a job's identity token is fetched. */
const OWN = /^(?:KEYHOLE_|ACTIONS_ID_TOKEN_REQUEST_)/i;

/**
 * The environment of a child: the parent's, what a file says, and the secrets.
 *
 * @throws {CliError} when a secret or the file would take the place of a variable that decides which code a process runs, or
 *   a secret cannot be a variable.
 */
export function childEnvironment(
  parent: NodeJS.ProcessEnv,
  secrets: Readonly<Record<string, string>>,
  passToken: boolean,
  file: Readonly<Record<string, string>> = {},
): NodeJS.ProcessEnv {
  for (const name of Object.keys(file)) {
    const reserved = reservationIn(name);
    // The file comes with a repository, as a Makefile does, but nobody reads it as a program.
    if (reserved)
      throw usageError(
        `the file sets ${name}, a protected variable (${reserved.pattern}: ${reserved.category})`,
        `leave it out there; what is in your own environment is passed on: ${name}=… keyhole run`,
      );
  }
  for (const [name, value] of Object.entries(secrets)) {
    const reserved = reservationIn(name);
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
  return { ...Object.fromEntries(Object.entries({ ...parent, ...file }).filter(([name]) => passToken || !OWN.test(name))), ...secrets };
}

/** What reserves a variable, in whatever case: some programs read it in lower case (`npm_config_script_shell`), and Windows knows no case. */
function reservationIn(variable: string) {
  return reservationOf(variable.toUpperCase());
}
