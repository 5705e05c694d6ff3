import type { Variable } from "./variable.ts";

/** How many bytes a line may have that Docker reads: its scanner gives up at 64 KiB with the line's end. */
const LONGEST_LINE = 65_535;

/** A line of a file for `docker run --env-file`, in which all after the first `=` is the value; `undefined` where the value would end it, or it is too long. */
export function envFileLine(name: string, value: string): string | undefined {
  const line = `${name}=${value}`;
  return /[\r\n\0]/.test(value) || new TextEncoder().encode(line).length > LONGEST_LINE ? undefined : line;
}

/**
 * Writes a file for `docker run --env-file`. A comment says which values are base64.
 *
 * @param variables Those that have an {@link envFileLine}, in the order in which they are written.
 */
export function writeEnvFile(variables: readonly Variable[]): string {
  return variables.map(writeVariable).join("");
}

function writeVariable({ name, value, isBytes }: Variable): string {
  const line = envFileLine(name, value);
  if (line === undefined) throw new Error(`${name} has no line in an env file`);
  return `${isBytes ? `# ${name} is base64\n` : ""}${line}\n`;
}
