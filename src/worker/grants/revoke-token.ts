import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { coversLimits } from "../access/covers.ts";
import { rowsOf } from "../store/run-batch.ts";
import { selectFamily, selectToken, type TokenRow } from "../store/token-rows.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { verifyRow } from "../transaction/verify-row.ts";
import { fromColumns } from "./grant-columns.ts";
import { lastRevocation, planRevocations, writeRevocations } from "./plan-revocation.ts";

/**
 * Revokes a token and every token that descends from it, in force from the next request on. To revoke it again changes
 * nothing that matters.
 *
 * @throws {Problem} `forbidden`, `token-not-found`, `integrity-failed`, `storage-unavailable`.
 */
export async function revokeToken(needs: CallerNeeds & { readonly now: Date }, caller: Caller, id: string): Promise<void> {
  caller.require("tokens:write");
  const { db, keyring } = needs;
  await retryWhenChanged(async () => {
    const [found, family, last] = await readForCaller(needs, caller, [
      selectToken(db, caller.org, id),
      selectFamily(db, caller.org, id),
      lastRevocation(db, caller.org),
    ]);
    const [row] = rowsOf<TokenRow>(found);
    if (!row) throw new Problem("token-not-found", "There is no token with this id.");
    const token = await verifyRow(keyring, "tokens", row);
    if (!coversLimits(caller, fromColumns(token))) throw caller.refuse("tokens:write", "The token's grant does not cover that token's.");
    const revoked = [{ id }, ...rowsOf<{ id: string }>(family)].map((each) => ({ kind: "id" as const, value: each.id }));
    const planned = await planRevocations(needs, caller.org, last, revoked);
    await writeRevocations(needs, caller, planned, [], { action: "token.revoke", secrets: [], target: id });
  });
}
