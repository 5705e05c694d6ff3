import type { Caller } from "../access/caller.ts";
import { planUndeletion } from "../secrets/plan-undeletion.ts";
import { unlessTaken } from "../secrets/unless-taken.ts";
import type { Outside, Write } from "../secrets/write-secrets.ts";
import { raiseRevisions } from "../store/scope-revisions.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { requireChanges, updateSecrets } from "../store/secret-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { raisingDeletionOf } from "../transaction/deletion-of.ts";
import type { Verified } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { writeWithinQuota } from "../transaction/write-within-quota.ts";
import type { PlaceNeeds } from "./place-needs.ts";

/**
 * Deletes here what has been deleted in its store, or has its value from elsewhere.
 *
 * @param outside Ends what was begun in the store.
 * @returns Until when it can come back here, in milliseconds since 1970.
 */
export async function deleteHere(needs: PlaceNeeds, caller: Caller, row: Verified<SecretRow>, { statements: ends, target }: Outside): Promise<number> {
  const { statements, until } = await raisingDeletionOf(needs, [row], false, true);
  await writeForCaller(needs, caller, [...ends, ...statements], { action: "secret.delete", secrets: [nameOf(row)], ...(target !== undefined && { target }) });
  return until ?? needs.now.getTime();
}

/** Brings back here what has come back in its store. */
export async function restoreHere(needs: PlaceNeeds, caller: Caller, row: Verified<SecretRow>, { statements: ends, target }: Outside): Promise<Write> {
  const { db, now } = needs;
  const write = await planUndeletion(await allowSealing(needs), row);
  const statements = [...raiseRevisions(db, [row], now.getTime()), updateSecrets(db, [write.row]), requireChanges(db, 1)];
  const named = { action: "secret.undelete", secrets: [nameOf(row)], ...(target !== undefined && { target }) } as const;
  await unlessTaken(needs, caller, [write], (guards) =>
    writeWithinQuota(needs, caller, { kept: [], made: 1 }, ({ before, after }) =>
      writeForCaller(needs, caller, [...ends, ...guards, before, ...statements, after], named),
    ),
  );
  return { ...write, outcome: "updated" };
}

function nameOf({ id, name, scope, version }: SecretRow) {
  return { id, name, scope, version };
}
