import type { Caller } from "../access/caller.ts";
import { revokeTokens } from "../store/token-rows.ts";
import { deleteTrustRow } from "../store/trust-rows.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { getTrust } from "./read-trusts.ts";
import { trustParent } from "./trust-parent.ts";

/**
 * Deletes a trust, and revokes the tokens that were exchanged under it.
 *
 * @throws {Problem} `forbidden`, `trust-not-found`, `storage-unavailable`.
 */
export async function deleteTrust({ db, now }: { db: D1Database; now: Date }, caller: Caller, name: string): Promise<void> {
  caller.require("trusts:write");
  await getTrust({ db }, caller, name);
  const statements = [deleteTrustRow(db, caller.org, name), revokeTokens(db, caller.org, trustParent(name), now.getTime())];
  await writeForCaller({ db, now }, caller, statements, { action: "trust.delete", secrets: [], target: name });
}
