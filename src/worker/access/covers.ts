import { type Limits, limitNames } from "../../contract/limits.ts";
import { contains, type Pattern } from "../../contract/pattern.ts";
import type { Grant } from "./caller.ts";

/** Whether everything that `inner` allows is allowed by `outer` too. */
export function covers(outer: Grant, inner: Grant): boolean {
  return inner.permissions.isSubsetOf(outer.permissions as Set<unknown>) && coversLimits(outer, inner);
}

/** Whether everything within `inner`'s limits is within `outer`'s too, whatever the permissions. */
export function coversLimits(outer: Limits, inner: Limits): boolean {
  return limitNames().every((limit) => coversPatterns(outer[limit], inner[limit]));
}

// A pattern matches one text or all that begin alike, so a union covers a pattern only if one of its patterns does:
// over an unlimited alphabet no finite number of narrower prefixes adds up to a wider one.
function coversPatterns(outer: readonly Pattern[] | null, inner: readonly Pattern[] | null): boolean {
  if (outer === null) return true;
  if (inner === null) return false;
  return inner.every((pattern) => outer.some((wider) => contains(wider, pattern)));
}
