import { type LogEnd, type RecordedTable, type RowEvent, type RowStretch, selectLogEnds, selectRowEvents } from "../audit/row-events.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { type KeyRange, orgsOfNext, type RowKey, type SealedCells, selectNextSealed, withinRange } from "../store/integrity-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { brokenRow } from "../transaction/verify-row.ts";
import { compareKeys, type Entry, type InventoryPage } from "./inventory-page.ts";
import { entryOf, judgeRow, type RowCase, type RowFault } from "./judge-row.ts";

/** How many rows one page is compared with. What is beyond them is left to the next one. */
export const PAGE_ROWS = 1_000;
/** How far the clocks of requests and of runs may differ, in milliseconds. */
export const SKEW = 300_000;

/** A row that is not what it should be. */
export interface FaultyRow {
  readonly org: string;
  readonly key: RowKey;
  readonly fault: RowFault;
  /** Of what was deleted, until when it could come back, and of a token when it expires, in milliseconds since 1970; `null` for what could not, or is no such row. */
  readonly until: number | null;
}

/** What came of comparing a page with D1. */
export interface ComparedPage {
  /** What is on record from now on. It may be shorter than the page was. */
  readonly page: InventoryPage;
  /** What of the page was not compared. */
  readonly rest: InventoryPage | undefined;
  readonly rows: number;
  readonly faults: readonly FaultyRow[];
  /** Whether something is to be put on record. */
  readonly changed: boolean;
}

interface Needs {
  readonly db: D1Database;
  readonly keyring: Keyring;
  readonly now: Date;
}

/** Compares a page with the rows that D1 has in its stretch, and with the events since. All is read by one transaction. */
export async function comparePage(needs: Needs, table: RecordedTable, page: InventoryPage): Promise<ComparedPage> {
  const { db, now } = needs;
  const range: KeyRange = { from: page.from, to: page.to };
  const stretch: RowStretch = {
    table,
    within: (keys, parameter) => withinRange(range, keys, parameter),
    orgs: (parameter) => orgsOfNext(table, range, PAGE_ROWS + 1, parameter),
    parameter: JSON.stringify(range),
  };
  const [found, ends, events] = await runBatch(db, [
    selectNextSealed(db, table, page.from, PAGE_ROWS + 1, page.to),
    selectLogEnds(db, stretch, page.seqs, (page.at ?? now.getTime()) - SKEW),
    ...(page.at === null ? [] : [selectRowEvents(db, stretch, page.seqs)]),
  ]);
  const next = rowsOf<SealedCells>(found);
  const to = next.length > PAGE_ROWS ? brokenRow(table, next[PAGE_ROWS - 1] as SealedCells).key : page.to;
  // A scope that lies under no other one is in use, or was declared; nothing depends on its row.
  const rows = next.slice(0, PAGE_ROWS).filter((row) => table !== "scopes" || row.parent !== null);
  const logs = rowsOf<LogEnd>(ends);
  const within = (key: RowKey) => to === null || compareKeys(key, to) <= 0;
  const compared = page.at === null ? adopt(table, rows) : await judgeAll(needs, table, { page, rows, events: rowsOf<RowEvent>(events), logs, within });
  const { entries, faults } = compared;
  const held = new Set([...entries, ...faults, ...rows].map(({ org }) => org));
  const reported = page.reported.filter((key) => faults.some((fault) => JSON.stringify(fault.key) === key));
  const back = backOf(page, logs, held);
  const beyond = page.entries.filter(({ key }) => !within(key));
  return {
    page: { ...page, at: now.getTime(), to: to && [...to], seqs: seqsOf(page, logs, held), ends: endsOf(page, logs, held), back, entries, reported },
    rest: to === page.to ? undefined : { ...page, from: to && [...to], entries: beyond },
    rows: next.length,
    faults,
    changed: compared.changed || reported.length < page.reported.length || to !== page.to || Object.keys(back).some((org) => page.back[org] === undefined),
  };
}

interface Compared {
  readonly entries: Entry[];
  readonly faults: FaultyRow[];
  readonly changed: boolean;
}

/** What there is is put on record as it is: it was not before. */
function adopt(table: RecordedTable, rows: readonly SealedCells[]): Compared {
  return { entries: rows.filter(({ seal }) => seal !== null).map((row) => entryOf(table, row)), faults: [], changed: true };
}

interface Material {
  readonly page: InventoryPage;
  readonly rows: readonly SealedCells[];
  readonly events: readonly RowEvent[];
  readonly logs: readonly LogEnd[];
  readonly within: (key: RowKey) => boolean;
}

async function judgeAll({ keyring, now }: Needs, table: RecordedTable, material: Material): Promise<Compared> {
  const accepted = new Set(material.logs.filter((log) => log.accepted === 1).map(({ org }) => org));
  const entries: Entry[] = [];
  const faults: FaultyRow[] = [];
  // What is accepted is put on record at once, and not again.
  let changed = accepted.size > 0;
  for (const one of casesOf(table, material)) {
    const { entry, fault } = await judgeRow(keyring, { ...one, table, accepted: accepted.has(one.org), now: now.getTime() });
    if (entry) entries.push(entry);
    if (fault) faults.push({ org: one.org, key: one.key, fault, until: one.entry?.until ?? expiryOf(table, one.row) });
    changed ||= one.event !== undefined || JSON.stringify(entry) !== JSON.stringify(one.entry);
  }
  return { entries: entries.sort((a, b) => compareKeys(a.key, b.key)), faults, changed };
}

/** When a token expires that is not on record. */
function expiryOf(table: RecordedTable, row: SealedCells | undefined): number | null {
  return table === "tokens" && row ? Number(row.expires_at) : null;
}

type Known = Omit<RowCase, "table" | "accepted" | "now">;

/** What is on record, in D1 or spoken of by an event, each with all that there is of it. */
function casesOf(table: RecordedTable, { page, rows, events, within }: Material): Known[] {
  const cases = new Map<string, { -readonly [K in keyof Known]: Known[K] }>();
  const caseOf = (org: string, key: RowKey) => {
    const id = JSON.stringify([org, key]);
    const one = cases.get(id) ?? { key, org, entry: undefined, row: undefined, event: undefined };
    cases.set(id, one);
    return one;
  };
  for (const entry of page.entries) if (within(entry.key)) caseOf(entry.org, entry.key).entry = entry;
  for (const row of rows) caseOf(row.org, brokenRow(table, row).key).row = row;
  for (const event of events) {
    const key = JSON.parse(event.row_key) as RowKey;
    if (within(key)) caseOf(event.org, key).event = event;
  }
  return [...cases.values()];
}

/** When the events were up to which the rows have been compared. */
function endsOf({ seqs, ends }: InventoryPage, logs: readonly LogEnd[], held: ReadonlySet<string>): Record<string, number> {
  const endOf = ({ org, last, last_at, accepted }: LogEnd) => (accepted === 1 || last >= (seqs[org] ?? 0) ? last_at : ends[org]) ?? undefined;
  const found = logs.filter(({ org }) => held.has(org)).map((log) => [log.org, endOf(log)] as const);
  return Object.fromEntries(found.flatMap(([org, end]) => (end === undefined ? [] : [[org, end]])));
}

/** Which logs were set back, and when what was lost had been seen last. That stays known when they have come as far again, until the restore is accepted. */
function backOf({ at, seqs, ends, back }: InventoryPage, logs: readonly LogEnd[], held: ReadonlySet<string>): Record<string, number> {
  const isBack = ({ org, last, since_at }: LogEnd) => last < (seqs[org] ?? 0) || (since_at !== null && ends[org] !== undefined && since_at !== ends[org]);
  const found = logs.filter((log) => held.has(log.org) && log.accepted === 0 && (back[log.org] !== undefined || isBack(log)));
  return Object.fromEntries(found.flatMap(({ org }) => (at === null ? [] : [[org, back[org] ?? at] as const])));
}

/** Up to which event the rows have been compared. A log that was set back is no reason to count an event twice, but where that was accepted. */
function seqsOf({ seqs }: InventoryPage, logs: readonly LogEnd[], held: ReadonlySet<string>): Record<string, number> {
  return Object.fromEntries(
    logs.filter(({ org }) => held.has(org)).map(({ org, last, accepted }) => [org, accepted === 1 ? last : Math.max(last, seqs[org] ?? 0)] as const),
  );
}
