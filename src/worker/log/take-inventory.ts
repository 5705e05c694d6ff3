import { formatTime } from "../../contract/time.ts";
import type { LogKeys } from "../access/log-keys.ts";
import type { RecordedTable } from "../audit/row-events.ts";
import { type StatementRow, selectStatement } from "../audit/statements.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { insertOwnEvent } from "../transaction/insert-own-event.ts";
import { type ComparedPage, comparePage, type FaultyRow, PAGE_ROWS } from "./compare-page.ts";
import { type Links, linkedPages, linkPage } from "./inventory-links.ts";
import { FIRST_PAGE, type FoundPage, type InventoryPage, readPage, writePage } from "./inventory-page.ts";
import { readTurn, type TableTurn, type Turn, writeTurn } from "./inventory-turn.ts";
import { type RowsStatement, readStatement, rowsStatementSchema, writeStatement } from "./statement.ts";

const TABLES: readonly RecordedTable[] = ["secrets", "scopes", "scope_stores", "trusts", "services", "stores", "webhooks", "tokens"];
/** How many rows of each table one run compares at the least, where there are so many, and how many pages at the most. */
const ROWS = 2_000;
const PAGES = 20;
/** How many findings of one run are events. The rest are counted, and are events of later runs. */
const REPORTED = 100;
/** How long KV may show an older state, in milliseconds: what was put before that has to be there. */
const KV_LAG = 120_000;
/** How long a page stays as it was put, in milliseconds, though nothing has changed. */
const FRESH = 3_600_000;

interface Needs {
  readonly db: D1Database;
  readonly kv: KVNamespace;
  readonly keyring: Keyring;
  /** The ids of keys that are missing, or other ones than they were. The current one is none of them. */
  readonly faultyKeys: ReadonlySet<string>;
  readonly logKeys: LogKeys;
  readonly platformOrg: string | null;
  readonly now: Date;
}

/** What a run found. */
export interface TakenInventory {
  readonly compared: number;
  /** Rows that are not what they should be, of all that were compared in this turn. */
  readonly faults: number;
  /** Whether what should have been on record was not there. */
  readonly lost: boolean;
}

/**
 * Compares rows with what is on record of them outside D1, encrypted in KV, and with the events since: a row that was taken
 * away, or put back as it was, is found although its seal is good. A bounded number of rows in each run; the next run goes
 * on from there. What no event explains is an event itself, once, and is counted until it is as it should be, or an event
 * says why not.
 */
export async function takeInventory(needs: Needs): Promise<TakenInventory> {
  const { db, logKeys, now } = needs;
  const [found] = await runBatch(db, [selectStatement(db, "rows")]);
  const was = await readStatement(logKeys, rowsStatementSchema, rowsOf<StatementRow>(found)[0]);
  const before = was === "bent" ? undefined : was;
  const turn = await readTurn(needs);
  const run: Run = { expected: isExpected(before, now), budget: { events: REPORTED }, lost: false, compared: 0, since: [] };
  const tables: Record<string, TableTurn> = {};
  for (const table of TABLES) tables[table] = await goOn(needs, run, table, turn.tables[table] ?? NEW_TURN);
  await writeTurn(needs, turn, { tables });
  const faults = countFaults({ tables });
  await runBatch(db, [
    await writeStatement(db, logKeys, {
      name: "rows",
      judged_at: formatTime(now.getTime()),
      verdict: faults > 0 ? "failed" : run.lost ? "lost" : "ok",
      faults,
      since: run.since.length === TABLES.length ? formatTime(Math.min(...run.since)) : null,
      begun_at: before?.begun_at ?? formatTime(now.getTime()),
      lost_at: run.lost ? formatTime(now.getTime()) : (before?.lost_at ?? null),
    }),
    ...(needs.platformOrg !== null && was === "bent" ? [insertOwnEvent(db, needs.platformOrg, "integrity.failed", "statement:rows", now)] : []),
    ...(needs.platformOrg !== null && run.lost ? [insertOwnEvent(db, needs.platformOrg, "integrity.failed", "inventory-lost", now)] : []),
  ]);
  return { compared: run.compared, faults, lost: run.lost };
}

const NEW_TURN: TableTurn = { page: FIRST_PAGE, since: null, full_since: null, links: {}, faults: {} };

/** What is common to the tables of one run. */
interface Run {
  /** Whether there must be something on record. */
  readonly expected: boolean;
  readonly budget: { events: number };
  lost: boolean;
  compared: number;
  /** Since when all rows of a table have been compared; of each that was come to the end of. */
  readonly since: number[];
}

/** Whether there was something put on record so long ago that KV has to have it. */
function isExpected(before: RowsStatement | undefined, now: Date): boolean {
  return before !== undefined && now.getTime() - Date.parse(before.begun_at) > KV_LAG;
}

/** Goes on with a table where the last run stopped. */
async function goOn(needs: Needs, run: Run, table: RecordedTable, was: TableTurn): Promise<TableTurn> {
  const now = needs.now.getTime();
  const faults = new Map(Object.entries(was.faults));
  const links = { ...was.links };
  let turn: TableTurn = { ...was, links, since: was.page === FIRST_PAGE ? now : was.since };
  let rows = 0;
  for (let pages = 0; pages < PAGES && rows < ROWS; pages++) {
    const page = await pageOf(needs, run, table, turn.page, links);
    // It is not known what should be there: the next turn comes by it.
    if (!page) return finish({ ...turn, page: FIRST_PAGE, since: null }, faults);
    const compared = await comparePage(needs, table, page.page);
    const before = await putOnRecord(needs, run, table, turn.page, page, { ...compared, links });
    rows += compared.rows;
    run.compared += compared.rows;
    faults.set(turn.page, { count: compared.faults.length, at: now });
    turn = { ...turn, page: before.next ?? FIRST_PAGE };
    if (before.next === null) {
      turn = { ...turn, full_since: turn.since, links: linkedPages(links) };
      break;
    }
  }
  if (turn.full_since !== null) run.since.push(turn.full_since);
  return finish(turn, faults);
}

/** Forgets the counts of pages that were not come by in all of the last turn. */
function finish(turn: TableTurn, faults: ReadonlyMap<string, { count: number; at: number }>): TableTurn {
  const kept = [...faults].filter(([, { count, at }]) => count > 0 && at >= (turn.full_since ?? 0));
  return { ...turn, faults: Object.fromEntries(kept) };
}

function countFaults({ tables }: Turn): number {
  return Object.values(tables).reduce((sum, { faults }) => sum + Object.values(faults).reduce((of, { count }) => of + count, 0), 0);
}

/** A page, or a new one in the place of one that is not there although KV has to have it: of the same stretch. */
async function pageOf(needs: Needs, run: Run, table: RecordedTable, id: string, links: Links): Promise<FoundPage | undefined> {
  const found = await readPage(needs, table, id);
  if (found) return found === "closed" ? undefined : found;
  const link = links[id];
  if (link ? needs.now.getTime() - link.at <= KV_LAG : id !== FIRST_PAGE) return undefined;
  if (link || run.expected) run.lost = true;
  const { from, to, next } = link ?? { from: null, to: null, next: null };
  return { page: { at: null, from, to, next, seqs: {}, ends: {}, back: {}, entries: [], reported: [] }, old: true };
}

/** Puts on record what was found, in pages of a size, the last one first: each names the next. Returns the last one. */
async function putOnRecord(
  needs: Needs,
  run: Run,
  table: RecordedTable,
  id: string,
  { page: was, old }: FoundPage,
  { page, rest, faults, changed, links }: ComparedPage & { readonly links: Links },
): Promise<InventoryPage> {
  const reported = await report(needs, run, table, page, faults);
  const stale = was.at === null || needs.now.getTime() - was.at >= FRESH;
  const now = needs.now.getTime();
  if (!changed && !old && !stale && reported.length === page.reported.length) {
    linkPage(links, id, was, now);
    return was;
  }
  const pages = split({ ...page, reported });
  const all = rest ? [...pages, rest] : pages;
  const ids = all.map((_, n) => (n === 0 ? id : crypto.randomUUID()));
  const linked = all.map((one, n) => ({ ...one, next: ids[n + 1] ?? was.next }));
  for (let n = linked.length - 1; n >= 0; n--) {
    await writePage(needs, table, ids[n] as string, linked[n] as InventoryPage);
    linkPage(links, ids[n] as string, linked[n] as InventoryPage, now);
  }
  return linked[pages.length - 1] as InventoryPage;
}

function split(page: InventoryPage): InventoryPage[] {
  const { entries, from, to } = page;
  if (entries.length <= PAGE_ROWS) return [page];
  const pages: InventoryPage[] = [];
  for (let at = 0; at < entries.length; at += PAGE_ROWS / 2) {
    const some = entries.slice(at, at + PAGE_ROWS / 2);
    const last = at + PAGE_ROWS / 2 >= entries.length;
    pages.push({ ...page, from: pages.at(-1)?.to ?? from, to: last ? to : (some.at(-1)?.key ?? to), entries: some });
  }
  return pages;
}

/** Writes an event for each row that was found just now. Returns the keys of all that there is an event for. */
async function report({ db, now }: Needs, run: Run, table: RecordedTable, { reported }: InventoryPage, faults: readonly FaultyRow[]): Promise<string[]> {
  const fresh = faults.filter(({ key }) => !reported.includes(JSON.stringify(key))).slice(0, run.budget.events);
  run.budget.events -= fresh.length;
  const events = fresh.map(({ org, key, fault }) => insertOwnEvent(db, org, "integrity.failed", `${fault}:${table} ${key.join(" ")}`, now, "failed"));
  if (events.length > 0) await runBatch(db, events);
  return [...reported, ...fresh.map(({ key }) => JSON.stringify(key))];
}
