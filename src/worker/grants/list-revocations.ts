import type { Caller } from "../access/caller.ts";
import type { RevocationRow } from "../store/revocation-rows.ts";
import { rowsOf } from "../store/run-batch.ts";
import { selectRevocations } from "../store/token-rows.ts";
import { type Page, pageOf } from "../transaction/page-of.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { verifyRows } from "../transaction/verify-row.ts";
import type { RevokeNeeds } from "./create-revocation.ts";

export type { RevocationRow };

/**
 * Lists what has been revoked in the organization, newest first. A caller with limits sees the tokens of the list that are
 * within them: of anything else nothing says within which limits it was.
 *
 * @throws {Problem} `forbidden`, `integrity-failed`, `storage-unavailable`.
 */
export async function listRevocations(
  { db, keyring, issuer }: CallerNeeds & Pick<RevokeNeeds, "issuer">,
  caller: Caller,
  limit: number,
  before: number | undefined,
): Promise<Page<RevocationRow, number>> {
  caller.require("tokens:write");
  const [found] = await readForCaller({ db, keyring }, caller, [selectRevocations(db, caller.org, issuer, caller, before, limit + 1)]);
  return pageOf(await verifyRows(keyring, "revocations", rowsOf<RevocationRow>(found)), limit, ({ n }) => n);
}
