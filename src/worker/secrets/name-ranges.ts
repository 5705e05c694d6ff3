import { contains, type Pattern } from "../../contract/pattern.ts";

/** Names from one to another, both included, in the order of their bytes. */
export interface NameRange {
  readonly from: string;
  readonly to: string;
}

/** The names that begin with `prefix`. Names are ASCII, and `~` comes after every character of theirs. */
export function prefixRange(prefix: string): NameRange {
  return { from: prefix, to: `${prefix}~` };
}

/** The names that patterns match, as disjoint ranges; `null` means all. Of two patterns one contains the other or they have nothing in common. */
export function rangesOf(patterns: readonly Pattern[] | null): NameRange[] {
  if (patterns === null) return [prefixRange("")];
  const widest = [...new Set(patterns)].filter((pattern, _, all) => !all.some((other) => other !== pattern && contains(other, pattern)));
  return widest.map((pattern) => (pattern.endsWith("*") ? prefixRange(pattern.slice(0, -1)) : { from: pattern, to: pattern }));
}

/** What ranges have in common with another one. */
export function intersect(ranges: readonly NameRange[], other: NameRange): NameRange[] {
  return ranges
    .map(({ from, to }) => ({ from: from > other.from ? from : other.from, to: to < other.to ? to : other.to }))
    .filter(({ from, to }) => from <= to);
}
