import { parse } from "dotenv";
import { DOUBTS, type Doubt } from "../../../contract/import.ts";
import { type Problem, type ProblemError, problemOfErrors } from "../../../contract/problem.ts";
import { judgeAssignment } from "./judge-assignment.ts";

/** How often a Unicode line separator may stand before a quote: each time costs dotenv a walk through the whole line. */
const MAX_SEPARATED_QUOTES = 16;

/** A line that means nothing: blank, or a comment. */
const NOTHING = /^\s*(?:$|#)/;
/** How an assignment begins: up to the end of its name. JavaScript's objects lose one name. */
const ASSIGNMENT = /^\s*(?:export\s+)?(?!__proto__\s*[=:])[\w.-]+(?=\s*=|:(?:\s|$))/;

/** What a `.env` file says. */
export interface DotenvFile {
  readonly secrets: Record<string, string>;
  /** On which line each name is given, the last time. */
  readonly lines: ReadonlyMap<string, number>;
  /** What is wrong with it, or likely meant in another way, by line; never its text. */
  readonly faults: readonly ProblemError[];
}

/**
 * The names and values in a `.env` file, as the dotenv package reads them. That one leaves out, without a word, every
 * line that it does not understand (the rest of a key without quotes, say), and reads some in another way than they were
 * likely meant. Here such a line is a fault, unless it is `allowed`.
 *
 * @throws {Problem} `invalid-request` when reading it would take too long.
 */
export function parseDotenv(text: string, allowed: ReadonlySet<Doubt>): DotenvFile {
  if ((text.match(/[\u2028\u2029]['"`]/g) ?? []).length > MAX_SEPARATED_QUOTES)
    throw tooSlow("too many Unicode line separators (U+2028, U+2029) before quotes");
  const { assignments, lost } = readLines(text);
  const faults = [
    ...lost.map((line) => ({ line, detail: "neither an assignment nor a comment, nor part of a value in quotes" })),
    ...doubtsOf(assignments)
      .filter(({ doubt }) => !allowed.has(doubt))
      .map(({ line, doubt }) => ({ line, detail: `${DOUBTS[doubt]} (allow=${doubt} takes it so)` })),
  ];
  return {
    secrets: read(text),
    lines: new Map(assignments.map(({ name, line }) => [name, line])),
    faults: faults.sort((a, b) => a.line - b.line).map(({ line, detail }) => ({ pointer: `line:${line}`, detail })),
  };
}

/** An assignment that dotenv reads as one: its name, its line, and what comes after the name, up to the next one. */
interface Assignment {
  readonly name: string;
  readonly line: number;
  readonly text: string;
}

function doubtsOf(assignments: readonly Assignment[]): { line: number; doubt: Doubt }[] {
  const seen = new Set<string>();
  return assignments.flatMap(({ name, line, text }) => {
    const again = seen.has(name);
    seen.add(name);
    return [...(again ? (["duplicate"] as const) : []), ...judgeAssignment(text)].map((doubt) => ({ line, doubt }));
  });
}

/** Stands around the number of a line while it is found out whether that line is read. */
const MARK = "\u0001";

/**
 * Which lines dotenv reads as assignments, and which are in no value and mean nothing by themselves. Names are read with
 * the numbers of their lines, so that one that is given twice does not hide what it was; other lines with a mark, so that
 * those whose marks are not read are lost.
 */
function readLines(text: string): { assignments: Assignment[]; lost: number[] } {
  const given = text.split(/\r\n?|\n/);
  const marked: number[] = [];
  const numbered = given.map((line, n) => {
    const plain = line.replaceAll(MARK, "?");
    if (NOTHING.test(plain)) return plain;
    if (ASSIGNMENT.test(plain)) return plain.replace(ASSIGNMENT, `$&.${n}`);
    marked.push(n + 1);
    return MARK + (n + 1) + MARK + plain;
  });
  const found = Object.entries(read(numbered.join("\n")));
  const parts = found
    .map(([, value]) => value)
    .join("\n")
    .split(MARK);
  const kept = new Set(parts.filter((_, n) => n % 2 === 1).map(Number));
  const places = found.map(([key]) => splitKey(key)).sort((a, b) => a.line - b.line);
  return {
    assignments: places.map((place, n) => ({ ...place, text: textOf(given, place.line, places[n + 1]?.line) })),
    lost: marked.filter((line) => !kept.has(line)),
  };
}

function splitKey(key: string): { name: string; line: number } {
  const dot = key.lastIndexOf(".");
  return { name: key.slice(0, dot), line: Number(key.slice(dot + 1)) + 1 };
}

/** What comes after the name of the assignment on a line, up to the line of the next one. */
function textOf(lines: readonly string[], line: number, next = lines.length + 1): string {
  const [first = "", ...rest] = lines.slice(line - 1, next - 1);
  return [first.replace(ASSIGNMENT, ""), ...rest].join("\n");
}

/** The scanner reads as dotenv's regular expression does, but in linear time: that one takes minutes for a megabyte of newlines. */
function read(text: string): Record<string, string> {
  return parse(text, { fast: true });
}

function tooSlow(detail: string): Problem {
  return problemOfErrors("invalid-request", [{ pointer: "", detail }], ". Nothing was stored.");
}
