import type { Caller } from "../access/caller.ts";
import type { TokenMarks } from "../store/revocation-rows.ts";
import type { TrustRow } from "../store/trust-rows.ts";
import { tokenMarks } from "../transaction/token-standing.ts";
import { trustRevision } from "./trust-parent.ts";

/**
 * What a trust remembers of the token that makes it: whatever takes that out of force suspends the trust. One that is
 * changed under itself remembers, in place of its former revision, which ends with the change, who made that.
 */
export function makerOf(caller: Caller, was: TrustRow | undefined): string | null {
  const marks = tokenMarks(caller);
  if (!marks) return null;
  const replaced = was && trustRevision(was);
  const own = marks.marks.filter(([, value]) => value !== replaced);
  const before = was && own.length < marks.marks.length ? marksOf(was) : undefined;
  const kept = (before?.marks ?? []).filter(([kind, value]) => value !== replaced && !own.some((mark) => mark[0] === kind && mark[1] === value));
  // It expires and is forgotten without that being of any matter.
  return JSON.stringify({
    ...marks,
    has_row: false,
    marks: [...own, ...kept],
    issued_at: Math.min(marks.issued_at, before?.issued_at ?? marks.issued_at),
  } satisfies TokenMarks);
}

/** What suspends a trust: what takes its maker out of force, and the revocation of its revision. */
export function marksOf(trust: TrustRow): TokenMarks {
  const maker = trust.maker === null ? null : (JSON.parse(trust.maker) as TokenMarks);
  return {
    org: trust.org,
    id: maker?.id ?? "",
    has_row: false,
    marks: [...(maker?.marks ?? []), ["trust-revision", trustRevision(trust)]],
    // Of one that remembers nobody it is known when it was put: its maker's token was issued before that.
    issued_at: maker?.issued_at ?? Math.floor(trust.updated_at / 1000),
  };
}
