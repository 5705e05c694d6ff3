import type { Caller } from "../access/caller.ts";
import { insertEvent } from "../audit/insert-event.ts";
import { revokeTokens } from "../store/token-rows.ts";
import { deleteTrustRow } from "../store/trust-rows.ts";
import { trustParent } from "./exchange-token.ts";
import { getTrust } from "./read-trusts.ts";
import { runForCaller } from "./run-for-caller.ts";

/**
 * Deletes a trust, and revokes the tokens that were exchanged under it.
 *
 * @throws {Problem} `forbidden`, `trust-not-found`, `storage-unavailable`.
 */
export async function deleteTrust({ db, now }: { db: D1Database; now: Date }, caller: Caller, name: string): Promise<void> {
  caller.require("trusts:write");
  await getTrust({ db }, caller, name);
  await runForCaller(db, caller, [
    deleteTrustRow(db, caller.org, name),
    revokeTokens(db, caller.org, trustParent(name), now.getTime()),
    insertEvent(db, { actor: caller, action: "trust.delete", outcome: "allowed", at: now, target: name }, []),
  ]);
}
