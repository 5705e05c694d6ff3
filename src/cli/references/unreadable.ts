import { type CliError, usageError } from "../cli-error.ts";

const HINTS: Readonly<Record<string, string>> = {
  json: "fix it, or name its --format: JSON with comments is jsonc",
  yaml: "fix it, or name its --format; a text with ${keyhole:NAME} in [] or {} needs quotes",
};

/** The file is not what it is said to be. Nothing of the line is said: there could be a value in it. */
export function unreadable(format: string, line: number | undefined): CliError {
  const where = line === undefined ? "" : `: line ${line} cannot be read`;
  return usageError(`the file is not ${format.toUpperCase()}${where}`, HINTS[format] ?? "fix it, or name its --format");
}
