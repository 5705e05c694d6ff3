import { Problem, type ProblemCode, storageUnavailable } from "../../contract/problem.ts";
import type { Unavailable } from "../../contract/unavailable.ts";
import type { ResolutionQuery } from "../store/resolution.ts";

/** A value that cannot be had, and the problem that this is for whoever needs it. */
export interface Unhad extends Unavailable {
  readonly problem: Problem;
}

/** Whom a value that cannot be had refuses: `strict` is whoever needs all of `names`, which are `null` where none were asked for. */
export type Needed = Pick<ResolutionQuery, "names" | "strict">;

/** The problems of values, the gravest first. */
const GRAVEST: readonly ProblemCode[] = ["integrity-failed", "internal", "source-cycle", "storage-unavailable", "store-unavailable", "invalid-request"];

/**
 * Leaves out values that cannot be had, and says which; in a resolve by name what is not what was written refuses the
 * whole, and so does all else where every name is needed. Then all of them are named.
 *
 * @throws {Problem} `integrity-failed`, `internal` when one does not open, `storage-unavailable`, `invalid-request` when the
 *   form that was asked for has no way to say one.
 */
export function leaveOut({ names, strict }: Needed, unhad: readonly Unhad[]): Unavailable[] {
  const refused = unhad.filter(({ problem }) => strict || (names !== null && problem.code === "integrity-failed"));
  if (refused.length > 0) throw problemOf(unhad);
  return unhad.map(({ name, reason }) => ({ name, reason }));
}

function problemOf(unhad: readonly Unhad[]): Problem {
  const detail = [...new Set(unhad.map(({ problem }) => problem.message))].join(" ");
  const members = { unavailable: unhad.map(({ name, reason }) => ({ name, reason })) };
  const cause = unhad[0]?.problem;
  const code = GRAVEST.find((grave) => unhad.some(({ problem }) => problem.code === grave)) ?? "storage-unavailable";
  return new Problem(code, detail, {
    members,
    cause,
    headers: code === "storage-unavailable" || code === "store-unavailable" ? storageUnavailable("").headers : {},
  });
}
