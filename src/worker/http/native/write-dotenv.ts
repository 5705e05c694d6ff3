import type { Variable } from "./variable.ts";

/** The replacement that python-dotenv makes also within single quotes: `${NAME}` and `${NAME:-default}`. */
const EXPANDED = /\$\{[^}:]*(?::-[^}]*)?\}/;

/**
 * The value in quotes that mean the same to dotenv, python-dotenv, godotenv, Node's `parseEnv` and a POSIX shell; `undefined`
 * where there are none. Within single quotes all of them take text as it is, but that some read `\'`, python-dotenv also `\\`
 * and `${NAME}`, and that files lose a carriage return. Within double quotes each has escapes of its own.
 */
export function dotenvForm(value: string): string | undefined {
  if (/[\r\0]/.test(value) || EXPANDED.test(value)) return undefined;
  if (!/'|\\\\|\\$/.test(value)) return `'${value}'`;
  return /["$`\\]/.test(value) ? undefined : `"${value}"`;
}

/**
 * Writes a `.env` file. A comment says which values are base64.
 *
 * @param variables Those that have a {@link dotenvForm}, in the order in which they are written.
 */
export function writeDotenv(variables: readonly Variable[]): string {
  return variables.map(writeVariable).join("");
}

function writeVariable({ name, value, isBytes }: Variable): string {
  const form = dotenvForm(value);
  if (form === undefined) throw new Error(`${name} has no form in a .env file`);
  return `${isBytes ? `# ${name} is base64\n` : ""}${name}=${form}\n`;
}
