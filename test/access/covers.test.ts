import { expect, it } from "vitest";
import { contains, matches, type Pattern } from "../../src/contract/pattern.ts";
import { PERMISSIONS, type Permission } from "../../src/contract/permission.ts";
import type { Grant } from "../../src/worker/access/caller.ts";
import { covers } from "../../src/worker/access/covers.ts";

/** All words over an alphabet up to a length. */
function words(alphabet: string, length: number): string[] {
  const all = [""];
  for (let from = 0, n = 0; n < length; n++) {
    const to = all.length;
    for (; from < to; from++) for (const letter of alphabet) all.push(all[from] + letter);
  }
  return all;
}

const WORDS = words("ab", 6);
const PATTERNS = words("ab", 3).flatMap((word) => [...(word === "" ? [] : [word]), `${word}*`]) as Pattern[];
const matchedBy = new Map(PATTERNS.map((pattern) => [pattern, new Set(WORDS.filter((word) => matches(pattern, word)))]));
const wordsOf = (pattern: Pattern) => matchedBy.get(pattern) ?? new Set<string>();
const wordsOfAll = (patterns: readonly Pattern[]) => patterns.reduce((all, pattern) => all.union(wordsOf(pattern)), new Set<string>());

const grant = (scopes: readonly Pattern[] | null, names: readonly Pattern[] | null = null, permissions: readonly Permission[] = []): Grant => ({
  permissions: new Set(permissions),
  secretScopes: scopes,
  secretNames: names,
  services: null,
});

it("matches a literal only with itself, and a prefix with what begins with it", () => {
  for (const pattern of PATTERNS)
    for (const word of WORDS) {
      const prefix = pattern.endsWith("*") ? pattern.slice(0, -1) : undefined;
      expect(matches(pattern, word)).toBe(prefix === undefined ? word === pattern : word.slice(0, prefix.length) === prefix);
    }
});

it("says that one pattern contains another exactly when it matches every word that the other matches", () => {
  for (const outer of PATTERNS)
    for (const inner of PATTERNS) expect([outer, inner, contains(outer, inner)]).toEqual([outer, inner, wordsOf(inner).isSubsetOf(wordsOf(outer))]);
});

const LISTS: Pattern[][] = [[], ...PATTERNS.map((pattern) => [pattern]), ...PATTERNS.flatMap((one, n) => PATTERNS.slice(n + 1).map((other) => [one, other]))];

it("never says that a list covers another that matches a word more", () => {
  const union = LISTS.map((list) => wordsOfAll(list));
  for (const [o, outer] of LISTS.entries())
    for (const [i, inner] of LISTS.entries()) {
      if (covers(grant(outer), grant(inner)) && !union[i]?.isSubsetOf(union[o] ?? new Set())) expect([outer, inner]).toBe("covered");
    }
});

it("says that a list covers one pattern exactly when it does, but for unions that only a finite alphabet makes", () => {
  const wide = (list: readonly Pattern[], word: string) => list.some((pattern) => matches(pattern, word));
  for (const outer of LISTS)
    for (const inner of PATTERNS) {
      // A letter that no pattern names stands for all the others: it tells a union of a* and b* from *.
      const probes = inner.endsWith("*") ? ["", "c", "cc"].map((rest) => inner.slice(0, -1) + rest) : [inner];
      expect([outer, inner, covers(grant(outer), grant([inner]))]).toEqual([outer, inner, probes.every((probe) => wide(outer, probe))]);
    }
});

it("takes no limit for wider than every limit, for scopes and names alike", () => {
  const list = ["*"] as Pattern[];
  for (const make of [(p: readonly Pattern[] | null) => grant(p), (p: readonly Pattern[] | null) => grant(null, p)]) {
    expect(covers(make(null), make(list))).toBe(true);
    expect(covers(make(null), make(null))).toBe(true);
    expect(covers(make(list), make(null))).toBe(false);
    expect(covers(make([]), make(null))).toBe(false);
    expect(covers(make([]), make(list))).toBe(false);
  }
});

it("compares scopes with scopes and names with names", () => {
  const [a, b] = [["a"], ["b"]] as Pattern[][];
  expect(covers(grant(a ?? [], b ?? []), grant(a ?? [], b ?? []))).toBe(true);
  expect(covers(grant(a ?? [], b ?? []), grant(b ?? [], a ?? []))).toBe(false);
});

it("covers permissions exactly when they are a subset, for every pair of sets", () => {
  const sets = Array.from({ length: 2 ** PERMISSIONS.length }, (_, bits) => PERMISSIONS.filter((_, n) => bits & (1 << n)));
  for (const [o, outer] of sets.entries())
    for (const [i, inner] of sets.entries())
      if (covers(grant(null, null, outer), grant(null, null, inner)) !== ((o & i) === i)) expect([outer, inner]).toBe("wrong");
});
