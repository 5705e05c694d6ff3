import type { Compared, RefusedRow, RowFault } from "../../contract/backup.ts";
import { storageUnavailable } from "../../contract/problem.ts";
import { formatTime } from "../../contract/time.ts";
import type { Caller } from "../access/caller.ts";
import type { RecordedTable } from "../audit/row-events.ts";
import { type ComparedPage, comparePage, type FaultyRow } from "../log/compare-page.ts";
import { compareKeys, FIRST_PAGE, readPage } from "../log/inventory-page.ts";
import { type CarriedColumn, type CarriedRow, carriedColumns, selectCarriedColumns, selectNextCarried } from "../store/backup-rows.ts";
import { carriedTable } from "../store/carried-tables.ts";
import { listCiphertexts } from "../store/ciphertexts.ts";
import { selectUnnamed } from "../store/restore-rows.ts";
import { rowsOf } from "../store/run-batch.ts";
import { readForRestorer } from "../transaction/run-for-caller.ts";
import { judgeCarried } from "./judge-carried.ts";
import { newerRows } from "./newer-rows.ts";
import { requireOperator } from "./require-operator.ts";
import type { BackupNeeds } from "./take-backup.ts";
import { withCiphertexts } from "./with-ciphertexts.ts";

const TABLES: readonly RecordedTable[] = ["secrets", "scopes", "scope_stores", "trusts", "services", "stores", "webhooks", "tokens"];
/** What is compared first. */
export const FIRST: Compared = { rows: "secrets", page: FIRST_PAGE };

/** A row that is not what it should be. */
export type ComparedRow = Omit<FaultyRow, "fault"> & { readonly table: RecordedTable; readonly fault: RowFault["fault"] };

/** As replies show it. */
export function rowFault({ org, table, key, fault, until }: ComparedRow): RowFault {
  return { org, table, key: [...key], fault, ...(table === "secrets" && until !== null && { deleted_until: formatTime(until) }) };
}

/** What was found, and what is compared next; `null` at the end. */
export interface Comparison {
  readonly rows: readonly ComparedRow[];
  readonly values: readonly RefusedRow[];
  /** The KV keys that no row names. */
  readonly orphans: readonly string[];
  /** Whether it is not known what rows there should be. */
  readonly unknown: boolean;
  readonly next: Compared | null;
}

/**
 * Compares the database with what is outside it, a page at a time: rows with the inventory, versions with their ciphertexts, which
 * are opened, and KV with the rows that name its objects. Nothing is changed. It answers while a restore is under way, too.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function compareStores(needs: BackupNeeds, caller: Caller, at: Compared = FIRST): Promise<Comparison> {
  requireOperator(needs, caller, "backup:read");
  return compare(needs, caller, at);
}

/** The same for whoever puts it right. */
export async function compare(needs: BackupNeeds, caller: Caller, at: Compared): Promise<Comparison> {
  const nothing = { rows: [], values: [], orphans: [], unknown: false };
  if ("rows" in at) return { ...nothing, ...(await compareRows(needs, caller, at)) };
  return { ...nothing, ...("versions" in at ? await compareVersions(needs, caller, at) : await compareObjects(needs, caller, at)) };
}

async function compareRows(
  needs: BackupNeeds,
  caller: Caller,
  { rows: table, page: id, after }: Extract<Compared, { rows: string }>,
): Promise<Pick<Comparison, "rows" | "unknown" | "next">> {
  await readForRestorer(needs, caller, []);
  const then = TABLES[TABLES.indexOf(table) + 1];
  const nextTable: Compared = then === undefined ? { versions: null } : { rows: then, page: FIRST_PAGE };
  const found = await readPage({ ...needs, faultyKeys: new Set(needs.keyring.faults.keys()) }, table, id).catch((cause: unknown) => {
    throw storageUnavailable("The inventory cannot be read.", cause);
  });
  if (!found || found === "closed") return { rows: [], unknown: true, next: nextTable };
  const { page } = found;
  const next: Compared = page.next === null ? nextTable : { rows: table, page: page.next };
  // Nothing is on record yet that it could be compared with.
  if (page.at === null) return { rows: [], unknown: true, next };
  const { rest, ...compared } = await comparePage(
    needs,
    table,
    after ? { ...page, from: after, entries: page.entries.filter(({ key }) => compareKeys(key, after) > 0) } : page,
  );
  return { rows: await judgeReturned(needs, table, page.at, compared), unknown: false, next: rest ? { rows: table, page: id, after: rest.from ?? [] } : next };
}

/** Of rows that were not there when they were compared last: those that were made since, and those that were deleted. */
async function judgeReturned(
  { db, now }: BackupNeeds,
  table: RecordedTable,
  at: number,
  { faults, page }: Pick<ComparedPage, "faults" | "page">,
): Promise<ComparedRow[]> {
  // A token that has expired is forgotten in time, without an event: nothing depends on its row.
  const counting = faults.filter(({ fault, until }) => !(table === "tokens" && fault === "returned" && until !== null && until <= now.getTime()));
  const returned = counting.filter(({ fault }) => fault === "returned");
  const newer = await newerRows(db, table, returned, (org) => page.back[org] ?? at);
  return counting.map((fault) => ({ ...fault, table, ...(fault.fault === "returned" && newer.has(JSON.stringify(fault.key)) && { fault: "newer" as const }) }));
}

async function compareVersions(
  needs: BackupNeeds,
  caller: Caller,
  { versions: after }: Extract<Compared, { versions: unknown }>,
): Promise<Pick<Comparison, "values" | "next">> {
  const { db } = needs;
  const table = "versions";
  const [columns] = await readForRestorer(needs, caller, [selectCarriedColumns(db)]);
  const [found] = await readForRestorer(needs, caller, [selectNextCarried(db, carriedColumns(rowsOf<CarriedColumn>(columns)), table, after)]);
  const rows = rowsOf<CarriedRow>(found).map((row) => ({ table, key: [String(row.secret_id), Number(row.version)], row }));
  const { refused } = await judgeCarried(needs, await withCiphertexts(needs, rows));
  const last = rows.length === carriedTable(table).rows ? rows.at(-1) : undefined;
  return { values: refused, next: last ? { versions: last.key } : { objects: null } };
}

async function compareObjects(
  needs: BackupNeeds,
  caller: Caller,
  { objects }: Extract<Compared, { objects: unknown }>,
): Promise<Pick<Comparison, "orphans" | "next">> {
  // Before the rows: one that puts an object names it first.
  const { keys, next } = await listCiphertexts(needs.kv, objects).catch((cause: unknown) => {
    throw storageUnavailable("The ciphertext store did not answer.", cause);
  });
  const [found] = await readForRestorer(needs, caller, [selectUnnamed(needs.db, keys)]);
  return { orphans: rowsOf<{ kv_key: string }>(found).map(({ kv_key }) => kv_key), next: next === null ? null : { objects: next } };
}
