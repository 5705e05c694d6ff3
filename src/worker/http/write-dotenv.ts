import { Problem } from "../../contract/problem.ts";

/**
 * Writes a `.env` file that the `dotenv` package and a POSIX shell (`set -a; . ./file`) both read back to the exact
 * values. Most values are the same text in both languages. Where the languages differ, a value is written twice:
 * for dotenv inside a here-document, which a shell skips, and for the shell behind `:;`, which dotenv skips.
 *
 * @param variables Environment names and values, in the order in which they are written.
 * @throws {Problem} `invalid-request` for a value that dotenv's format has no way to write, or that holds a NUL.
 */
export function writeDotenv(variables: readonly (readonly [name: string, value: string])[]): string {
  return variables.map(([name, value]) => `${writeVariable(name, value)}\n`).join("");
}

function writeVariable(name: string, value: string): string {
  const same = sameInBoth(value);
  if (same !== undefined) return `${name}=${same}`;
  const forDotenv = value.includes("\0") ? undefined : quoteForDotenv(value);
  if (forDotenv === undefined) {
    throw new Problem("invalid-request", `The value for ${name} cannot be written in a .env file; use format=env, or resolve it alone with format=raw.`);
  }
  return [`: <<'${END}'`, `${name}=${forDotenv}`, END, `:; ${name}=$(printf %b '${octal(value)}.') && ${name}=\${${name}%.}`].join("\n");
}

const END = "__END_OF_DOTENV__";

/** The value in quotes that mean the same to dotenv and to a shell, if there are any. */
function sameInBoth(value: string): string | undefined {
  if (/[\r\0]/.test(value)) return undefined;
  // A backslash before the closing quote is an escape to dotenv and none to a shell.
  if (!value.includes("'") && !value.endsWith("\\")) return `'${value}'`;
  return /["$`\\]/.test(value) ? undefined : `"${value}"`;
}

/** The value in quotes that dotenv reads back exactly, on a line of its own; `undefined` where it has no way to say it. */
function quoteForDotenv(value: string): string | undefined {
  if (value.includes(`\n${END}\n`) || value.endsWith("\\")) return unquoted(value);
  if (!value.includes('"') && !/\\[nr]/.test(value)) return `"${value.replaceAll("\r", "\\r")}"`;
  if (value.includes("\r")) return undefined;
  const quote = ["'", "`"].find((mark) => !value.includes(mark));
  return quote === undefined ? unquoted(value) : `${quote}${value}${quote}`;
}

/** Without quotes dotenv takes the rest of the line as it is, but for `#`, white space around it and a pair of quotes. */
function unquoted(value: string): string | undefined {
  const plain = value === value.trim() && !/[#\r\n\u2028\u2029]/.test(value) && !/^(['"`])[\s\S]*\1$/.test(value) && !/^(?:\s*'|\s*"|\s*`)/.test(value);
  return plain && value !== "" ? value : undefined;
}

/** The value as an operand of `printf %b` within single quotes: all but plain characters in octal (POSIX, printf). */
function octal(value: string): string {
  return Array.from(new TextEncoder().encode(value), (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9 ,.:;/@=+_-]/.test(character) ? character : `\\0${byte.toString(8).padStart(3, "0")}`;
  }).join("");
}
