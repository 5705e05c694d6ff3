import type { Caller } from "../access/caller.ts";
import { unboundTarget } from "../audit/bound-target.ts";
import { type EventSecret, insertEvent } from "../audit/insert-event.ts";
import type { RecordedTable } from "../audit/row-events.ts";
import type { RowKey } from "../store/integrity-rows.ts";
import { putCarried } from "../store/restore-rows.ts";
import { rowsOf } from "../store/run-batch.ts";
import { raiseRevisions } from "../store/scope-revisions.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { requireChanges, selectSecretsById, updateSecrets } from "../store/secret-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { type DeletedRow, markDeleted } from "../transaction/mark-deleted.ts";
import { readForRestorer } from "../transaction/run-for-caller.ts";
import { IntegrityProblem, verifyRow } from "../transaction/verify-row.ts";
import type { ComparedRow } from "./compare-stores.ts";
import type { BackupNeeds } from "./take-backup.ts";

/** The statements that delete rows again, and which rows those are. */
interface Deletion {
  readonly statements: readonly D1PreparedStatement[];
  readonly deleted: readonly ComparedRow[];
  /** Those whose seal is not their own: nothing can be sealed that comes of them. */
  readonly skipped: readonly ComparedRow[];
}

/**
 * Makes the statements that delete again what was deleted and is there again, with their events: secrets that could come back until
 * the time that was said then, everything else for good.
 *
 * @throws {Problem} `storage-unavailable`.
 */
export async function deleteAgain(needs: BackupNeeds, caller: Caller, returned: readonly ComparedRow[]): Promise<Deletion> {
  const { db, now } = needs;
  const recoverable = ({ table, until }: ComparedRow) => table === "secrets" && until !== null && until > now.getTime();
  const hard = returned.filter((row) => !recoverable(row));
  const gone = Map.groupBy(hard, ({ table }) => table);
  const changes = [...gone].map(([table, some]) => ({ table, rows: [], gone: some.map(({ key }) => key) }));
  const soft = await softly(needs, caller, returned.filter(recoverable));
  return {
    statements: [...putCarried(db, changes, now.getTime()), ...insertGone(needs, caller, hard), ...soft.statements],
    deleted: [...hard, ...soft.deleted],
    skipped: soft.skipped,
  };
}

const ACTIONS = {
  scopes: "scope.delete",
  scope_stores: "scope.delete",
  trusts: "trust.delete",
  services: "service.delete",
  stores: "store.delete",
  webhooks: "webhook.delete",
  tokens: "token.revoke",
} as const satisfies Record<Exclude<RecordedTable, "secrets">, string>;

/** The events of rows that go again: one for all secrets of an organization, and one for each other row. */
function insertGone(needs: BackupNeeds, caller: Caller, rows: readonly ComparedRow[]): D1PreparedStatement[] {
  const { db, now } = needs;
  const secrets = rows.filter(({ table }) => table === "secrets");
  const purged = secrets.map(({ org, key }) => ({ org, secret: { id: String(key[0]), name: null, scope: null, version: null } }));
  const others = rows.flatMap(({ org, table, key }) => {
    if (table === "secrets") return [];
    return [insertEvent(db, { actor: { ...caller, org }, action: ACTIONS[table], outcome: "allowed", at: now, target: targetOf(table, key) }, [])];
  });
  return [...insertListed(needs, caller, "secret.purge", purged), ...others];
}

/** What the event of a row names. In which store a scope was is not known any more. */
function targetOf(table: RecordedTable, key: RowKey): string {
  const name = String(key.at(-1));
  return table === "scope_stores" ? unboundTarget({ scope: name, store: "-" }) : name;
}

/** An event for each organization, of all its secrets. */
function insertListed(
  { db, now }: BackupNeeds,
  caller: Caller,
  action: "secret.purge" | "secret.delete",
  listed: readonly { readonly org: string; readonly secret: EventSecret }[],
): D1PreparedStatement[] {
  return [...Map.groupBy(listed, ({ org }) => org)].map(([org, some]) =>
    insertEvent(
      db,
      { actor: { ...caller, org }, action, outcome: "allowed", at: now, target: null },
      some.map(({ secret }) => secret),
    ),
  );
}

async function softly(needs: BackupNeeds, caller: Caller, returned: readonly ComparedRow[]): Promise<Deletion> {
  if (returned.length === 0) return { statements: [], deleted: [], skipped: [] };
  const { db, now } = needs;
  const { keyring } = await allowSealing(needs);
  const ids = returned.map(({ key }) => String(key[0]));
  const [found] = await readForRestorer(needs, caller, [selectSecretsById(db, ids)]);
  const untils = new Map(returned.map(({ key, until }) => [String(key[0]), until]));
  const marked = await Promise.all(rowsOf<SecretRow>(found).map((row) => mark({ keyring, now }, row, untils.get(row.id) ?? now.getTime())));
  const rows = marked.filter((row) => row !== undefined);
  const isMarked = ({ key }: ComparedRow) => rows.some(({ id }) => id === key[0]);
  const listed = rows.map(({ org, id, name, scope, version }) => ({ org, secret: { id, name, scope, version } }));
  return {
    statements: [
      ...(rows.length > 0 ? [...raiseRevisions(db, rows, now.getTime()), updateSecrets(db, rows), requireChanges(db, rows.length)] : []),
      ...insertListed(needs, caller, "secret.delete", listed),
    ],
    deleted: returned.filter(isMarked),
    skipped: returned.filter((row) => !isMarked(row)),
  };
}

/** A secret as it is once it is deleted; `undefined` for one whose seal is not its own. */
async function mark(needs: Parameters<typeof markDeleted>[0], row: SecretRow, until: number): Promise<DeletedRow | undefined> {
  try {
    return (await markDeleted(needs, [await verifyRow(needs.keyring, "secrets", row)], until))[0];
  } catch (error) {
    if (error instanceof IntegrityProblem) return undefined;
    throw error;
  }
}
