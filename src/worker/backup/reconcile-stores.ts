import type { Action } from "../../contract/audit.ts";
import type { Compared, ReconciledStores, RowFault } from "../../contract/backup.ts";
import type { Caller } from "../access/caller.ts";
import { insertEvent } from "../audit/insert-event.ts";
import type { RecordedTable } from "../audit/row-events.ts";
import { noteUnnamed, putCarried } from "../store/restore-rows.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { compare, FIRST } from "./compare-stores.ts";
import { requireOperator } from "./require-operator.ts";
import type { BackupNeeds } from "./take-backup.ts";

/**
 * Puts right what a comparison has shown at a place: what was deleted and is there again is deleted again, with an event in its
 * organization's log; objects in KV that no row names are noted for removal.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function reconcileStores(needs: BackupNeeds, caller: Caller, at: Compared | undefined): Promise<ReconciledStores> {
  requireOperator(needs, caller, "backup:write");
  const { db, now } = needs;
  const { rows, orphans } = await compare(needs, caller, at ?? FIRST);
  const returned = rows.filter(({ fault }) => fault === "returned");
  if (returned.length === 0 && orphans.length === 0) return { deleted: [], removed: 0 };
  const gone = Map.groupBy(returned, ({ table }) => table as RecordedTable);
  const changes = [...gone].map(([table, some]) => ({ table, rows: [], gone: some.map(({ key }) => key) }));
  const statements = [
    ...putCarried(db, changes, now.getTime()),
    ...returned.map((row) => deleted(needs, caller, row)),
    noteUnnamed(db, orphans, now.getTime()),
  ];
  await writeForCaller(needs, caller, statements, { action: "backup.restore", secrets: [], target: `deleted:${returned.length}:removed:${orphans.length}` });
  return { deleted: returned, removed: orphans.length };
}

const ACTIONS: Readonly<Record<RecordedTable, Action>> = { secrets: "secret.delete", scopes: "scope.delete", trusts: "trust.delete", tokens: "token.revoke" };

/** The event of a row that is deleted again. */
function deleted({ db, now }: BackupNeeds, caller: Caller, { org, table, key }: RowFault): D1PreparedStatement {
  const name = String(key.at(-1));
  const secrets = table === "secrets" ? [{ id: name, name: null, scope: null, version: null }] : [];
  const action = ACTIONS[table as RecordedTable];
  return insertEvent(db, { actor: { ...caller, org }, action, outcome: "allowed", at: now, target: table === "secrets" ? null : name }, secrets);
}
