import type { Caller } from "../access/caller.ts";
import { insertEvent } from "../audit/insert-event.ts";
import type { RecordedTable } from "../audit/row-events.ts";
import { putCarried } from "../store/restore-rows.ts";
import { rowsOf } from "../store/run-batch.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { requireChanges, selectSecretsById, updateSecrets } from "../store/secret-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { markDeleted } from "../transaction/mark-deleted.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { verifyRow } from "../transaction/verify-row.ts";
import type { ReturnedRow } from "./compare-stores.ts";
import type { BackupNeeds } from "./take-backup.ts";

/**
 * The statements that delete again what was deleted and is there again, with their events: secrets that could come back until
 * the time that was said then, everything else for good.
 *
 * @throws {Problem} `integrity-failed`, `storage-unavailable`.
 */
export async function deleteAgain(needs: BackupNeeds, caller: Caller, returned: readonly ReturnedRow[]): Promise<D1PreparedStatement[]> {
  const { db, now } = needs;
  const [soft, hard] = [true, false].map((recoverable) => returned.filter(({ until }) => (until !== null && until > now.getTime()) === recoverable));
  const gone = Map.groupBy(hard ?? [], ({ table }) => table);
  const changes = [...gone].map(([table, some]) => ({ table, rows: [], gone: some.map(({ key }) => key) }));
  return [
    ...putCarried(db, changes, now.getTime()),
    ...(hard ?? []).map((row) => insertGone(needs, caller, row)),
    ...(await softly(needs, caller, soft ?? [])),
  ];
}

const ACTIONS = { secrets: "secret.purge", scopes: "scope.delete", trusts: "trust.delete", tokens: "token.revoke" } as const satisfies Record<
  RecordedTable,
  string
>;

/** The event of a row that goes again. */
function insertGone({ db, now }: BackupNeeds, caller: Caller, { org, table, key }: ReturnedRow): D1PreparedStatement {
  const name = String(key.at(-1));
  const secrets = table === "secrets" ? [{ id: name, name: null, scope: null, version: null }] : [];
  const target = table === "secrets" ? null : name;
  return insertEvent(db, { actor: { ...caller, org }, action: ACTIONS[table], outcome: "allowed", at: now, target }, secrets);
}

async function softly(needs: BackupNeeds, caller: Caller, returned: readonly ReturnedRow[]): Promise<D1PreparedStatement[]> {
  if (returned.length === 0) return [];
  const { db, now } = needs;
  const { keyring } = await allowSealing(needs);
  const ids = returned.map(({ key }) => String(key[0]));
  const [found] = await readForCaller(needs, caller, [selectSecretsById(db, ids)]);
  const untils = new Map(returned.map(({ key, until }) => [String(key[0]), until]));
  const statements = rowsOf<SecretRow>(found).map(async (row) => {
    const deleted = await markDeleted({ keyring, now }, [await verifyRow(keyring, "secrets", row)], untils.get(row.id) ?? now.getTime());
    const { org, id, name, scope, version } = row;
    const event = { actor: { ...caller, org }, action: "secret.delete", outcome: "allowed", at: now, target: null } as const;
    return [updateSecrets(db, deleted), requireChanges(db, 1), insertEvent(db, event, [{ id, name, scope, version }])];
  });
  return (await Promise.all(statements)).flat();
}
