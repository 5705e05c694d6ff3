import { parse } from "dotenv";
import { type Problem, problemOfErrors } from "../../../contract/problem.ts";

/** How often a Unicode line separator may stand before a quote: each time costs dotenv a walk through the whole line. */
const MAX_SEPARATED_QUOTES = 16;

/** A line that means nothing: blank, or a comment. */
const NOTHING = /^\s*(?:$|#)/;
/** How an assignment begins: up to the end of its name. JavaScript's objects lose one name. */
const ASSIGNMENT = /^\s*(?:export\s+)?(?!__proto__\s*[=:])[\w.-]+(?=\s*=|:(?:\s|$))/;

/**
 * The names and values in a `.env` file, as the dotenv package reads them. That one leaves out, without a word, every
 * line that it does not understand: the rest of a key without quotes, say. Here such a line is refused.
 *
 * @throws {Problem} `invalid-request` with the numbers of the lines that mean nothing, never their text, or when
 *   reading it would take too long.
 */
export function parseDotenv(text: string): Record<string, string> {
  if ((text.match(/[\u2028\u2029]['"`]/g) ?? []).length > MAX_SEPARATED_QUOTES) {
    throw refusal([""], "too many Unicode line separators (U+2028, U+2029) before quotes");
  }
  const lost = lostLines(text);
  if (lost.length > 0)
    throw refusal(
      lost.map((line) => `line:${line}`),
      "neither an assignment nor a comment, nor part of a value in quotes",
    );
  return read(text);
}

/** Stands around the number of a line while it is found out whether that line is read. */
const MARK = "\u0001";

/** The numbers of the lines that are in no value and mean nothing by themselves: those whose marks are not read. */
function lostLines(text: string): number[] {
  const marked: number[] = [];
  const lines = text.split(/\r\n?|\n/).map((given, n) => {
    const line = given.replaceAll(MARK, "?");
    if (NOTHING.test(line)) return line;
    // A name that is given twice would hide its first value.
    if (ASSIGNMENT.test(line)) return line.replace(ASSIGNMENT, `$&.${n}`);
    marked.push(n + 1);
    return MARK + (n + 1) + MARK + line;
  });
  if (marked.length === 0) return [];
  const parts = Object.values(read(lines.join("\n")))
    .join("\n")
    .split(MARK);
  const kept = new Set(parts.filter((_, n) => n % 2 === 1).map(Number));
  return marked.filter((line) => !kept.has(line));
}

/** The scanner reads as dotenv's regular expression does, but in linear time: that one takes minutes for a megabyte of newlines. */
function read(text: string): Record<string, string> {
  return parse(text, { fast: true });
}

function refusal(pointers: readonly string[], detail: string): Problem {
  return problemOfErrors(
    "invalid-request",
    pointers.values().map((pointer) => ({ pointer, detail })),
    ". Nothing was stored.",
  );
}
