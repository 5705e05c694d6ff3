import { type BackupPage, type BackupPayload, type BackupPosition, type Carried, PAGE_SIZE } from "../../contract/backup.ts";
import { invalid, Problem } from "../../contract/problem.ts";
import { formatTime } from "../../contract/time.ts";
import type { Caller } from "../access/caller.ts";
import type { LogKeys } from "../access/log-keys.ts";
import type { Keyring } from "../envelope/keyring.ts";
import {
  type BackupRow,
  type CarriedColumn,
  type CarriedRow,
  type ChangedRow,
  type Columns,
  carriedColumns,
  deleteBackup,
  insertBackup,
  selectBackup,
  selectCarriedColumns,
  selectChanges,
  selectLogExtents,
  selectNextCarried,
} from "../store/backup-rows.ts";
import { CARRIED_TABLE_NAMES, type CarriedTableName, carriedTable } from "../store/carried-tables.ts";
import type { RowKey } from "../store/integrity-rows.ts";
import { rowsOf } from "../store/run-batch.ts";
import { newId } from "../transaction/new-id.ts";
import { readForCaller, runForCaller } from "../transaction/run-for-caller.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { signPage, verifyPage } from "./backup-page.ts";
import { requireOperator } from "./require-operator.ts";
import { withCiphertexts } from "./with-ciphertexts.ts";

/** How many changes one page has at the most. */
const CHANGES = 1_000;

export interface BackupNeeds {
  readonly db: D1Database;
  readonly kv: KVNamespace;
  readonly keyring: Keyring;
  readonly logKeys: LogKeys;
  readonly platformOrg: string | null;
  readonly now: Date;
}

/** A page; `null` after the last one. */
export type TakenPage = (BackupPage & { readonly payload: BackupPayload }) | null;

/**
 * Takes a backup of all organizations, a page at a time: rows as they are stored, with their ciphertexts, and no key. First come
 * all tables, one after the other; then what has changed meanwhile, as it is now, until a page has all of that: so what the
 * pages say together is the state of one transaction, the one of the last page.
 *
 * @param after The `jws` of the page before; `undefined` begins a backup, and is on record.
 * @throws {Problem} `forbidden`, `invalid-request` for what is no page's, `version-conflict` when the backup is not taken any more, `storage-unavailable`.
 */
export async function takeBackup(needs: BackupNeeds, caller: Caller, after: string | undefined): Promise<TakenPage> {
  requireOperator(needs, caller, "backup:read");
  if (after === undefined) return takePage(needs, caller, await begin(needs, caller), null);
  const payload = await verifyPage(needs.logKeys, after);
  if (!payload) throw invalid("/after", "not a page of a backup of this deployment");
  if (payload.next === null) return end(needs, caller, payload.backup);
  return takePage(needs, caller, payload.backup, { payload, jws: after });
}

async function begin(needs: BackupNeeds, caller: Caller): Promise<string> {
  const id = newId("bak");
  await writeForCaller(needs, caller, [insertBackup(needs.db, id, caller.subject, needs.now.getTime())], { action: "backup.read", secrets: [], target: id });
  return id;
}

async function end(needs: BackupNeeds, caller: Caller, id: string): Promise<null> {
  await runForCaller(needs, caller, [deleteBackup(needs.db, id)]);
  return null;
}

type Before = { readonly payload: BackupPayload; readonly jws: string } | null;

async function takePage(needs: BackupNeeds, caller: Caller, id: string, before: Before): Promise<TakenPage> {
  const { db, now } = needs;
  const [backups, found] = await readForCaller(needs, caller, [selectBackup(db, id), selectCarriedColumns(db)]);
  const [backup] = rowsOf<BackupRow>(backups);
  if (!backup) throw new Problem("version-conflict", "Nothing is noted any more for this backup: begin another one.");
  const columns = carriedColumns(rowsOf<CarriedColumn>(found));
  const position = before?.payload.next ?? { table: CARRIED_TABLE_NAMES[0] as string, after: null };
  const part = await ("table" in position ? takeRows(needs, caller, columns, position, backup) : takeChanges(needs, caller, columns, position.changes, backup));
  const { carried, ...rest } = part;
  return signPage(needs.logKeys, before, { backup: id, at: formatTime(now.getTime()), ...rest }, carried);
}

/** What one page has, and where the next one begins. */
type Part = Pick<BackupPayload, "table" | "next" | "end"> & { readonly carried: readonly Carried[] };

async function takeRows(
  needs: BackupNeeds,
  caller: Caller,
  columns: Columns,
  { table: name, after }: Extract<BackupPosition, { table: string }>,
  backup: BackupRow,
): Promise<Part> {
  const table = CARRIED_TABLE_NAMES.find((one) => one === name);
  if (!table) throw new Problem("version-conflict", "The backup was begun by another version: begin another one.");
  const [found] = await readForCaller(needs, caller, [selectNextCarried(needs.db, columns, table, after)]);
  const rows = rowsOf<CarriedRow>(found).map((row) => ({ table, key: [...keyIn(table, row)], row }));
  const carried = fitting(await withCiphertexts(needs, rows));
  const last = carried.at(-1);
  const more = carried.length < rows.length || rows.length === carriedTable(table).rows;
  const next = last && more ? { table, after: last.key } : nextTable(table, backup);
  return { table, next, end: null, carried };
}

function nextTable(table: CarriedTableName, { first_change }: BackupRow): BackupPosition {
  const next = CARRIED_TABLE_NAMES[CARRIED_TABLE_NAMES.indexOf(table) + 1];
  return next === undefined ? { changes: first_change } : { table: next, after: null };
}

/** The rows that have changed, each once, as they are now. One transaction reads them and up to where the logs have come. */
async function takeChanges(needs: BackupNeeds, caller: Caller, columns: Columns, after: number, backup: BackupRow): Promise<Part> {
  const { db } = needs;
  const [extents, found, ...tables] = await readForCaller(needs, caller, [selectLogExtents(db), ...selectChanges(db, columns, after, CHANGES)]);
  const changes = rowsOf<ChangedRow>(found);
  const now = new Map(CARRIED_TABLE_NAMES.flatMap((table, n) => rowsOf<CarriedRow>(tables[n]).map((row) => [nameOf(table, keyIn(table, row)), row] as const)));
  const named = new Map(
    changes.map(({ n, table_name, row_key }) => [
      nameOf(table_name, JSON.parse(row_key) as RowKey),
      { n, table: table_name, key: JSON.parse(row_key) as string[] },
    ]),
  );
  const carried = [...named].map(([name, { n, table, key }]) => ({ n, table, key, row: now.get(name) ?? null }));
  const fit = fitting(
    await withCiphertexts(
      needs,
      carried.sort((a, b) => a.n - b.n),
    ),
  );
  const page = fit.map(({ table, key, row }) => ({ table, key, row }));
  if (changes.length === CHANGES || fit.length < carried.length) return { table: null, next: { changes: fit.at(-1)?.n ?? after }, end: null, carried: page };
  const [extent] = rowsOf<{ logs: string }>(extents);
  return { table: null, next: null, end: endOf(backup, extent?.logs ?? "{}"), carried: page };
}

function endOf({ begun_at, logs }: BackupRow, now: string): NonNullable<BackupPayload["end"]> {
  const began = JSON.parse(logs) as Record<string, number>;
  const ended = JSON.parse(now) as Record<string, number>;
  return {
    begun_at: formatTime(begun_at),
    logs: Object.fromEntries(Object.entries(ended).map(([org, seq]) => [org, [began[org] ?? 0, seq] as [number, number]])),
  };
}

function keyIn(table: CarriedTableName, row: CarriedRow): RowKey {
  return carriedTable(table).key.map((column) => row[column] as string | number);
}

function nameOf(table: string, key: RowKey): string {
  return JSON.stringify([table, ...key]);
}

const encoder = new TextEncoder();

/** As many rows as fit into a page: one at the least. */
function fitting<T extends Carried>(rows: readonly T[]): readonly T[] {
  let size = 0;
  const end = rows.findIndex((row) => {
    size += encoder.encode(JSON.stringify(row)).length;
    return size > PAGE_SIZE;
  });
  return end === -1 ? rows : rows.slice(0, Math.max(1, end));
}
