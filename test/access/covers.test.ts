import { expect, it } from "vitest";
import { LIMITS, type LimitName, limitClaims, limitNames, limitsOf, UNLIMITED } from "../../src/contract/limits.ts";
import { contains, matches, type Pattern } from "../../src/contract/pattern.ts";
import { PERMISSIONS, type Permission } from "../../src/contract/permission.ts";
import { type Caller, createCaller, type Grant } from "../../src/worker/access/caller.ts";
import { covers } from "../../src/worker/access/covers.ts";
import { fromColumns, toColumns } from "../../src/worker/grants/grant-columns.ts";
import { grantBody } from "../../src/worker/http/native/grant-body.ts";

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

const limited = (limit: LimitName, patterns: readonly Pattern[] | null): Grant => ({ permissions: new Set(), ...UNLIMITED, [limit]: patterns });
const [A, B, ALL] = [["a"], ["b"], ["*"]] as [Pattern[], Pattern[], Pattern[]];

it.each(limitNames())("takes no limit for wider than every limit, of %s", (limit) => {
  const make = (patterns: readonly Pattern[] | null) => limited(limit, patterns);
  expect(covers(make(null), make(ALL))).toBe(true);
  expect(covers(make(null), make(null))).toBe(true);
  expect(covers(make(ALL), make(null))).toBe(false);
  expect(covers(make([]), make(null))).toBe(false);
  expect(covers(make([]), make(ALL))).toBe(false);
});

it.each(limitNames().flatMap((one) => limitNames().map((other) => [one, other] as const)))(
  "compares %s with nothing but %s when these are the same",
  (one, other) => {
    expect(covers({ ...limited(one, A), [other]: A }, { ...limited(one, A), [other]: A })).toBe(true);
    expect(covers({ ...limited(one, A), [other]: A }, { ...limited(one, A), [other]: B })).toBe(false);
    expect(covers(limited(one, A), limited(other, A))).toBe(one === other);
  },
);

it("refuses what is wider in a limit that is new in the list, and carries and shows that", () => {
  const list = LIMITS as unknown as Record<string, { field: string; of: string; example: string[] }>;
  list.regions = { field: "regions", of: "regions", example: ["eu"] };
  try {
    const make = (patterns: readonly Pattern[] | null) => ({ permissions: new Set<Permission>(), ...UNLIMITED, regions: patterns });
    expect([covers(make(A), make(A)), covers(make(A), make(B)), covers(make(A), make(null)), covers(make(null), make(A))]).toEqual([true, false, false, true]);
    expect(limitClaims(make(A))).toEqual({ regions: A });
    expect(limitsOf({ regions: A } as object)).toEqual({ ...UNLIMITED, regions: A });
    expect(toColumns(make(A))).toMatchObject({ regions: '["a"]', services: null });
    expect(fromColumns(toColumns(make(A)))).toEqual(make(A));
    expect(grantBody(make(A))).toMatchObject({ regions: A, services: null });
  } finally {
    delete list.regions;
  }
});

it.each([
  ["secretScopes", ["a"], [], []],
  ["secretNames", [], ["a"], []],
  ["services", [], [], ["a"]],
] as const)("lets a caller do what is within its limit %s, and nothing else", (limit, ...asked) => {
  const caller = (patterns: readonly Pattern[] | null) =>
    createCaller({ ...limited(limit, patterns), permissions: new Set(["secrets:use"]) } as unknown as Caller);
  for (const patterns of [null, A, ALL]) expect(() => caller(patterns).require("secrets:use", ...asked)).not.toThrow();
  for (const patterns of [B, []]) expect(() => caller(patterns).require("secrets:use", ...asked)).toThrow("does not cover");
});

it("covers permissions exactly when they are a subset, for sets of up to two and all but two", () => {
  const all = 2 ** PERMISSIONS.length - 1;
  const few = [0, ...PERMISSIONS.flatMap((_, n) => PERMISSIONS.map((__, m) => (1 << n) | (1 << m)))];
  const sets = [...new Set([...few, ...few.map((bits) => all ^ bits)])];
  const held = sets.map((bits) =>
    grant(
      null,
      null,
      PERMISSIONS.filter((_, n) => bits & (1 << n)),
    ),
  );
  for (const [o, outer] of held.entries())
    for (const [i, inner] of held.entries()) {
      const [more = 0, less = 0] = [sets[o], sets[i]];
      if (covers(outer, inner) !== ((more & less) === less)) expect([outer, inner]).toBe("wrong");
    }
});
