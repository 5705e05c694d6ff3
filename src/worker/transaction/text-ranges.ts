import { contains, type Pattern } from "../../contract/pattern.ts";
import type { TextRange } from "../store/secret-list.ts";

/** The names or scopes that begin with `prefix`. They are ASCII, and `~` comes after every character of theirs. */
export function prefixRange(prefix: string): TextRange {
  return { from: prefix, to: `${prefix}~` };
}

/** The one name or scope `text`. */
export function exactRange(text: string): TextRange {
  return { from: text, to: text };
}

/** What patterns match, as disjoint ranges; `null` means all. Of two patterns one contains the other or they have nothing in common. */
export function rangesOf(patterns: readonly Pattern[] | null): TextRange[] {
  if (patterns === null) return [prefixRange("")];
  const widest = [...new Set(patterns)].filter((pattern, _, all) => !all.some((other) => other !== pattern && contains(other, pattern)));
  return widest.map((pattern) => (pattern.endsWith("*") ? prefixRange(pattern.slice(0, -1)) : exactRange(pattern)));
}

/** What ranges have in common with another one. */
export function intersect(ranges: readonly TextRange[], other: TextRange): TextRange[] {
  return ranges
    .map(({ from, to }) => ({ from: from > other.from ? from : other.from, to: to < other.to ? to : other.to }))
    .filter(({ from, to }) => from <= to);
}
