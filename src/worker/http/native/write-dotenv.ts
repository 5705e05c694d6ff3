import { parse } from "dotenv";
import { Problem } from "../../../contract/problem.ts";

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
  const end = endFor(forDotenv);
  return [`: <<'${end}'`, `${name}=${forDotenv}`, end, `:; ${name}=$(printf %b '${octal(value)}.') && ${name}=\${${name}%.}`].join("\n");
}

/** A line that ends a here-document around `text`, because it is no line of it. */
function endFor(text: string): string {
  const lines = new Set(text.split("\n"));
  let end = "END";
  while (lines.has(end)) end += "_";
  return end;
}

/** The value in quotes that mean the same to dotenv and to a shell, if there are any. */
function sameInBoth(value: string): string | undefined {
  if (/[\r\0]/.test(value)) return undefined;
  // A backslash before the closing quote is an escape to dotenv and none to a shell.
  if (!value.includes("'") && !value.endsWith("\\")) return `'${value}'`;
  return /["$`\\]/.test(value) ? undefined : `"${value}"`;
}

/** The value as dotenv reads it back exactly, whatever lines follow; `undefined` where it has no way to say it. */
function quoteForDotenv(value: string): string | undefined {
  const escaped = value.replaceAll("\r", "\\r");
  const line = escaped.replaceAll("\n", "\\n");
  const forms = [`"${escaped}"`, `'${value}'`, `\`${value}\``, value, `"${line}"`, line];
  return forms.find((form) => readAsDotenv(form) === value);
}

/** What dotenv makes of `form`. The quotes after it stand for all lines that could follow: a text that does not end where it should ends in one. */
function readAsDotenv(form: string): string | undefined {
  return parse(`X=${form}\n'\n"\n\`\n`, { fast: true }).X;
}

/** The value as an operand of `printf %b` within single quotes: all but plain characters in octal (POSIX, printf). */
function octal(value: string): string {
  return Array.from(new TextEncoder().encode(value), (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9 ,.:;/@=+_-]/.test(character) ? character : `\\0${byte.toString(8).padStart(3, "0")}`;
  }).join("");
}
