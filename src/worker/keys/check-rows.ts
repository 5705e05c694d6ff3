import type { Keyring } from "../envelope/keyring.ts";
import { isCurrentSeal, judgeSeal } from "../envelope/row-seal.ts";
import {
  type FailedRow,
  forgetFailures,
  markLookedAt,
  noteFailures,
  type Resealed,
  type RowKey,
  replaceSeals,
  type SealedCells,
  selectFailures,
  selectLookedAt,
  selectNextSealed,
  selectSealed,
} from "../store/integrity-rows.ts";
import { parseFloor, type RevocationRow, selectFloors } from "../store/revocation-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { SEALED_TABLE_NAMES, type SealedTableName } from "../store/sealed-tables.ts";
import type { SealingKeyring } from "../transaction/allow-sealing.ts";
import { insertOwnEvent } from "../transaction/insert-own-event.ts";
import { brokenRow, SEAL_FORMATS, sealFor } from "../transaction/verify-row.ts";
import { type BatchNeeds, workInBatches } from "../transaction/work-in-batches.ts";
import { checkKeysOnce, type KeyFaults, soundKeyring } from "./check-keys.ts";

/** How many rows of each table one run looks at. */
const ROWS = 500;
/** How many rows that were not well before one run looks at again. */
const FAILURES = 200;

/** Of how many rows one transaction notes that they are not what was written, each with an event: requests wait for it. */
const NOTED = 50;

/** Of how many archives that were not what was put there one batch reads them again. */
const REOPENED = 5;

interface Needs extends BatchNeeds {
  readonly keyring: Keyring;
  /** Whether what an archive's row stands for can be read as it was put there: its own seal does not say. */
  readonly isWhole?: (row: FailedRow) => Promise<boolean>;
}

/** What a run found. */
export interface CheckedRows {
  checked: number;
  /** Sealed anew, under the current key and in the present format. */
  resealed: number;
  /** Not what was written. */
  failed: number;
  /** Sealed under a key that the keyring here lacks. */
  unknown_key: number;
}

/**
 * Looks at the rows of every sealed table, some of each in every run and then from the beginning again: notes those that
 * are not what was written, with an event when they are found first, and seals anew what is under an older key. While it
 * finds such ones it goes on. Nothing is sealed that was not verified, and nothing under a key that is not the one that has been current.
 */
export async function checkRows(needs: Needs, keyFaults = checkKeysOnce(needs)): Promise<CheckedRows> {
  const total: CheckedRows = { checked: 0, resealed: 0, failed: 0, unknown_key: 0 };
  await workInBatches(needs.budget, async () => {
    const some = await checkSome(needs, keyFaults);
    total.checked += some.checked;
    total.resealed += some.resealed;
    total.unknown_key += some.unknown_key;
    // Those that were not well before are looked at in each batch.
    total.failed = Math.max(total.failed, some.failed);
    return some.resealed > 0 && some.unfinished;
  });
  return total;
}

async function checkSome({ db, keyring, now, isWhole }: Needs, keyFaults: () => Promise<KeyFaults>): Promise<CheckedRows & { readonly unfinished: boolean }> {
  const [marks, failures] = await runBatch(db, [selectLookedAt(db), selectFailures(db, FAILURES)]);
  const after = new Map(rowsOf<{ table_name: string; row_key: string }>(marks).map((mark) => [mark.table_name, JSON.parse(mark.row_key) as RowKey | null]));
  const known = rowsOf<{ org: string; table_name: SealedTableName; row_key: string }>(failures).map(
    ({ org, table_name, row_key }): FailedRow => ({ org, table: table_name, key: JSON.parse(row_key) as RowKey }),
  );
  const found = await readRows(db, after, known);
  const total: CheckedRows = { checked: 0, resealed: 0, failed: 0, unknown_key: 0 };
  const outdated = new Map<SealedTableName, readonly SealedCells[]>();
  // A gap before a revocation is seen by passing it, and not by looking at it alone.
  const whole = (after.get("revocations") ?? null) === null && found.marks.revocations === null;
  const passed = (row: FailedRow) => whole || found.passed.some((other) => isSame(row, brokenRow("revocations", other)));
  const broken: FailedRow[] = [];
  for (const [table, rows] of found.rows) {
    const judged = await judgeRows(keyring, table, rows);
    total.checked += rows.length;
    total.unknown_key += judged.unknownKey;
    broken.push(...judged.broken);
    if (judged.outdated.length > 0) outdated.set(table, judged.outdated);
  }
  const sealing = outdated.size > 0 ? soundKeyring(keyring, await keyFaults()) : undefined;
  const resealed = sealing ? await Promise.all([...outdated].map(async ([table, rows]) => [table, await sealAnew(sealing, table, rows)] as const)) : [];
  total.resealed = resealed.flatMap(([, rows]) => rows).length;
  broken.push(...(await gaps({ db, keyring }, found.passed, after.get("revocations") ?? null)));
  const seemWell = known.filter((row) => !broken.some((other) => isSame(row, other)) && (row.table !== "revocations" || passed(row)));
  const damaged = await damagedArchives(seemWell, isWhole);
  broken.push(...damaged.found);
  total.failed = broken.length;
  const well = seemWell.filter((row) => !damaged.found.includes(row) && !damaged.unread.includes(row));
  const first = broken.filter((row) => !known.some((other) => isSame(row, other)));
  // Before the marks move on: a run that ends in between finds the others again.
  for (let at = 0; at < first.length; at += NOTED) await runBatch(db, noteFirst(db, first.slice(at, at + NOTED), now));
  await runBatch(db, [
    ...resealed.map(([table, rows]) => replaceSeals(db, table, rows)),
    noteFailures(db, broken, now.getTime()),
    forgetFailures(db, well),
    markLookedAt(db, found.marks),
  ]);
  return { ...total, unfinished: Object.values(found.marks).some((mark) => mark !== null) };
}

/** Notes rows that were well before, each with its event. */
function noteFirst(db: D1Database, rows: readonly FailedRow[], now: Date): D1PreparedStatement[] {
  const events = rows.map((row) => insertOwnEvent(db, row.org, "integrity.failed", `${row.table} ${row.key.join(" ")}`, now, "failed"));
  return [noteFailures(db, rows, now.getTime()), ...events];
}

/** Archives that are not what was put there, of some that were not; the others are for a later run. */
async function damagedArchives(rows: readonly FailedRow[], isWhole: Needs["isWhole"]): Promise<{ found: readonly FailedRow[]; unread: readonly FailedRow[] }> {
  const archives = rows.filter(({ table }) => table === "audit_archives");
  if (!isWhole) return { found: [], unread: archives };
  const read = archives.slice(0, REOPENED);
  const whole = await Promise.all(read.map(isWhole));
  return { found: read.filter((_, n) => !whole[n]), unread: archives.slice(REOPENED) };
}

interface Found {
  readonly rows: ReadonlyMap<SealedTableName, readonly SealedCells[]>;
  readonly marks: Readonly<Partial<Record<SealedTableName, RowKey | null>>>;
  /** The revocations that come next, one after the other. */
  readonly passed: readonly SealedCells[];
}

async function readRows(db: D1Database, after: ReadonlyMap<string, RowKey | null>, known: readonly FailedRow[]): Promise<Found> {
  const keysOf = (name: SealedTableName) => known.filter(({ table }) => table === name).map(({ key }) => key);
  const results = await runBatch(
    db,
    SEALED_TABLE_NAMES.flatMap((table) => [selectNextSealed(db, table, after.get(table) ?? null, ROWS), selectSealed(db, table, keysOf(table))]),
  );
  const rows = new Map<SealedTableName, SealedCells[]>();
  const marks: Partial<Record<SealedTableName, RowKey | null>> = {};
  for (const [n, table] of SEALED_TABLE_NAMES.entries()) {
    const next = rowsOf<SealedCells>(results[2 * n]);
    const last = next.at(-1);
    marks[table] = next.length < ROWS || !last ? null : brokenRow(table, last).key;
    const again = rowsOf<SealedCells>(results[2 * n + 1]).filter((row) => !next.some((other) => isSame(brokenRow(table, row), brokenRow(table, other))));
    rows.set(table, [...next, ...again]);
  }
  return { rows, marks, passed: rowsOf<SealedCells>(results[2 * SEALED_TABLE_NAMES.indexOf("revocations")]) };
}

interface Judged {
  readonly broken: FailedRow[];
  /** Good, and under an older key or of an older format. */
  readonly outdated: SealedCells[];
  unknownKey: number;
}

async function judgeRows(keyring: Keyring, table: SealedTableName, rows: readonly SealedCells[]): Promise<Judged> {
  const judged: Judged = { broken: [], outdated: [], unknownKey: 0 };
  const format = SEAL_FORMATS[table];
  for (const row of rows) {
    // Without seals being required, a row that has none waits for `keyhole admin seal`.
    if (row.seal === null && !keyring.sealsRequired) continue;
    const { outcome } = await judgeSeal(keyring, format, row, row.seal);
    if (outcome === "unknown-key") judged.unknownKey++;
    else if (outcome === "broken") judged.broken.push(brokenRow(table, row));
    else if (row.seal !== null && !isCurrentSeal(keyring, format, row.seal)) judged.outdated.push(row);
  }
  return judged;
}

function sealAnew(keyring: SealingKeyring, table: SealedTableName, rows: readonly SealedCells[]): Promise<Resealed[]> {
  return Promise.all(rows.map(async (row) => ({ key: brokenRow(table, row).key, was: row.seal, seal: await sealFor(keyring, table, row) })));
}

/**
 * Revocations are numbered without gaps but for those that floors speak of: where one is missing somebody took it away.
 * What comes after the gap is named.
 */
async function gaps({ db, keyring }: Pick<Needs, "db" | "keyring">, rows: readonly SealedCells[], after: RowKey | null): Promise<FailedRow[]> {
  const last = new Map<string, number>(after ? [[String(after[0]), Number(after[1])]] : []);
  const missing: { readonly row: SealedCells; readonly previous: number }[] = [];
  for (const row of rows) {
    const previous = last.get(row.org) ?? 0;
    if (Number(row.n) !== previous + 1) missing.push({ row, previous });
    last.set(row.org, Number(row.n));
  }
  if (missing.length === 0) return [];
  const [found] = await runBatch(db, [selectFloors(db, [...new Set(missing.map(({ row }) => row.org))])]);
  const candidates = rowsOf<RevocationRow>(found);
  const { broken } = await judgeRows(keyring, "revocations", candidates as unknown as SealedCells[]);
  const floors = candidates.filter((row) => !broken.some((other) => isSame(other, brokenRow("revocations", row))));
  const said = ({ row, previous }: (typeof missing)[number]) => floors.some((floor) => row.org === floor.org && leavesOut(floor, previous, Number(row.n)));
  return missing.filter((one) => !said(one)).map(({ row }) => brokenRow("revocations", row));
}

/** Whether a floor says that there is none between two revocations. */
function leavesOut({ n, value }: RevocationRow, previous: number, next: number): boolean {
  const { lowest, after } = parseFloor(value);
  return (lowest === next && previous < next) || (n === next && after === previous);
}

function isSame(a: FailedRow, b: FailedRow): boolean {
  return a.table === b.table && a.org === b.org && JSON.stringify(a.key) === JSON.stringify(b.key);
}
