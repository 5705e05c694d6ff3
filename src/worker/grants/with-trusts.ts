import type { Revoked } from "../store/revocation-rows.ts";
import type { TrustRow } from "../store/trust-rows.ts";
import { marksOf } from "./trust-maker.ts";
import { trustRevision } from "./trust-parent.ts";

/**
 * What ends with revocations: they, the revisions of the trusts that were made under what they take out of force, and so
 * on of those that were made under tokens of these.
 */
export function withTrusts(revoked: readonly Revoked[], trusts: readonly TrustRow[]): Revoked[] {
  const ended = [...revoked];
  const left = new Set(trusts);
  // What is added here is looked at in its turn.
  for (const each of ended)
    for (const trust of left)
      if (isMadeUnder(trust, each)) {
        left.delete(trust);
        const value = trustRevision(trust);
        if (!ended.some((other) => other.kind === "trust-revision" && other.value === value)) ended.push({ kind: "trust-revision", value });
      }
  return ended;
}

function isMadeUnder(trust: TrustRow, { kind, value }: Revoked): boolean {
  const { marks, issued_at } = marksOf(trust);
  return kind === "before" ? issued_at <= Number(value) : marks.some(([markKind, mark]) => markKind === kind && mark === value);
}
