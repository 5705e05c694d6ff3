import type { Caller } from "../access/caller.ts";
import { deleteRefusals } from "../store/identity-rows.ts";
import { requireUnchanged } from "../store/require-unchanged.ts";
import { rowsOf } from "../store/run-batch.ts";
import { selectFamily } from "../store/token-rows.ts";
import { deleteTrustRow, type TrustKind } from "../store/trust-rows.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { planEnd, selectEnding, writeRevocations } from "./plan-revocation.ts";
import { getTrust } from "./read-trusts.ts";
import { trustParent, trustRevision } from "./trust-parent.ts";
import type { Revoked } from "./with-trusts.ts";

/**
 * Deletes a trust, and revokes the tokens that were exchanged under it and what they minted.
 *
 * @throws {Problem} `forbidden`, `trust-not-found` or `login-not-found`, `integrity-failed`, `storage-unavailable`.
 */
export async function deleteTrust(needs: CallerNeeds & { readonly now: Date }, caller: Caller, name: string, kind: TrustKind = "trust"): Promise<void> {
  caller.require("trusts:write");
  const { db } = needs;
  await retryWhenChanged(async () => {
    const trust = await getTrust(needs, caller, name, kind);
    const [family, ...ending] = await readForCaller(needs, caller, [selectFamily(db, caller.org, trustParent(name)), ...selectEnding(db, caller.org)]);
    const planned = await planEnd(needs, caller.org, ending, endOf(trust, rowsOf<{ id: string }>(family)));
    const deletion = [requireUnchanged(db, "trusts", caller.org, name, trust), deleteTrustRow(db, caller.org, name), deleteRefusals(db, caller.org, name)];
    await writeRevocations(needs, caller, planned, deletion, { action: "trust.delete", secrets: [], target: name });
  });
}

/** What ends with a revision of a trust: the tokens that say they are of it, and those of before, which do not say. */
export function endOf(trust: { readonly name: string; readonly revision: number }, family: readonly { readonly id: string }[]): Revoked[] {
  return [{ kind: "trust-revision", value: trustRevision(trust) }, ...family.map(({ id }) => ({ kind: "id" as const, value: id }))];
}
