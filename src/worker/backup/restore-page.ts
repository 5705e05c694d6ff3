import { sha256 } from "../../contract/audit-digest.ts";
import { type BackupPage, type BackupPayload, type Carried, type RestoredPage, rowsSchema } from "../../contract/backup.ts";
import { invalid, Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { type CarriedColumn, type CarriedRow, type Columns, carriedColumns, OF_CURRENT_VERSION, selectCarriedColumns } from "../store/backup-rows.ts";
import { CARRIED_TABLE_NAMES } from "../store/carried-tables.ts";
import { putCiphertext } from "../store/ciphertexts.ts";
import { advanceRestore, beginRestore, putCarried, type RestoreRow, selectRestore, type TableChange } from "../store/restore-rows.ts";
import { GuardError, rowsOf } from "../store/run-batch.ts";
import { readForRestorer, runForCaller } from "../transaction/run-for-caller.ts";
import { verifyPage } from "./backup-page.ts";
import { judgeCarried } from "./judge-carried.ts";
import { requireOperator } from "./require-operator.ts";
import type { BackupNeeds } from "./take-backup.ts";
import { OBJECT } from "./with-ciphertexts.ts";

/** What only a page's rows have beside the columns of their table. */
const BESIDE: Readonly<Record<string, readonly string[]>> = { secrets: OF_CURRENT_VERSION, audit_archives: [OBJECT] };

/**
 * Puts a page of a backup into this deployment, which has to be empty when it is the first one. From then on, until the restore
 * has been finished, nothing else is answered. Pages are taken in their order and only as they were signed; one that is here
 * already is judged once more, and not taken again. Of a page each row is judged by itself, and what is not right is left out and named.
 *
 * @throws {Problem} `forbidden`, `invalid-request` for what is no page's of a backup with these keys, or has what this version does
 *   not know; `version-conflict` for another page than the next one, or when the deployment is not empty; `storage-unavailable`.
 */
export async function restorePage(needs: BackupNeeds, caller: Caller, page: BackupPage): Promise<RestoredPage> {
  requireOperator(needs, caller, "backup:write");
  const { db, logKeys } = needs;
  const payload = await verifyPage(logKeys, page.jws);
  if (!payload || (await sha256(page.rows)) !== payload.rows) throw invalid("/jws", "not a page of a backup that was signed with a key of this deployment");
  const [restores, found] = await readForRestorer(needs, caller, [selectRestore(db), selectCarriedColumns(db)]);
  const [restore] = rowsOf<RestoreRow>(restores);
  const isHere = restore !== undefined && payload.backup === restore.backup && payload.page <= restore.page;
  if (!isHere) await requireNext(restore, payload);
  const carried = parseRows(page.rows, carriedColumns(rowsOf<CarriedColumn>(found)));
  const { taken, refused } = await judgeCarried(needs, carried);
  // Nobody may have heard what was left out of it.
  if (isHere) return { page: restore.page, refused: [...refused], whole: restore.logs !== null };
  await putObjects(needs, taken);
  await put(needs, caller, restore, payload, page.jws, taken);
  return { page: payload.page, refused: [...refused], whole: payload.end !== null };
}

/** The pages are a chain: what comes next names what came before. */
async function requireNext(restore: RestoreRow | undefined, { backup, page, previous }: BackupPayload): Promise<void> {
  if (!restore && page !== 1) throw new Problem("version-conflict", "A restore begins with the first page.");
  if (!restore) return;
  if (backup !== restore.backup) throw new Problem("version-conflict", "Another backup is being restored.");
  if (restore.logs !== null) throw new Problem("version-conflict", "All pages are here.");
  if (page !== restore.page + 1 || previous !== (await sha256(restore.jws)))
    throw new Problem("version-conflict", `The next page is page ${restore.page + 1} of the same chain.`);
}

/** The rows of a page, all of which this version has a place for. */
function parseRows(text: string, columns: Columns): Carried[] {
  const { data } = rowsSchema.safeParse(JSON.parse(text));
  if (!data) throw invalid("/rows", "not the rows of a page");
  for (const { table, row } of data) {
    const known = CARRIED_TABLE_NAMES.find((name) => name === table);
    const allowed = new Set(known ? [...(columns.get(known) ?? []), ...(BESIDE[table] ?? [])] : []);
    const unknown = known ? Object.keys(row ?? {}).find((column) => !allowed.has(column)) : "";
    if (unknown !== undefined) throw invalid("/rows", `made by another version: ${table}${unknown && `.${unknown}`} is not known here`);
  }
  return data;
}

/** Puts the objects of archives into KV before a row names them. Each was opened, and its key is nobody else's. */
async function putObjects({ kv }: BackupNeeds, taken: readonly Carried[]): Promise<void> {
  for (const { table, row } of taken) if (table === "audit_archives" && row) await putCiphertext(kv, String(row.kv_key), String(row[OBJECT]));
}

async function put(
  needs: BackupNeeds,
  caller: Caller,
  restore: RestoreRow | undefined,
  payload: BackupPayload,
  jws: string,
  taken: readonly Carried[],
): Promise<void> {
  const { db, now } = needs;
  const row = { backup: payload.backup, page: payload.page, jws, logs: payload.end && JSON.stringify(payload.end.logs) };
  const noted = restore ? advanceRestore(db, restore, row) : beginRestore(db, row, now.getTime());
  try {
    await runForCaller(needs, caller, [...noted, ...putCarried(db, changesOf(taken), now.getTime())]);
  } catch (error) {
    if (!(error instanceof GuardError)) throw error;
    if (error.guard === "nothing_here")
      throw new Problem("version-conflict", "The deployment is not empty: a backup is restored into a new database.", { cause: error });
    throw new Problem("version-conflict", "Another call has restored a page meanwhile.", { cause: error });
  }
}

function changesOf(taken: readonly Carried[]): TableChange[] {
  return CARRIED_TABLE_NAMES.map((table) => {
    const own = taken.filter((one) => one.table === table);
    const beside = new Set(BESIDE[table]);
    const cells = (row: CarriedRow) => Object.fromEntries(Object.entries(row).filter(([column]) => !beside.has(column)));
    return { table, rows: own.flatMap(({ row }) => (row ? [cells(row)] : [])), gone: own.flatMap(({ key, row }) => (row ? [] : [key])) };
  });
}
