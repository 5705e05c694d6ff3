import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import type { RecordedTable } from "../../src/worker/audit/row-events.ts";
import { loadConfig } from "../../src/worker/config.ts";
import { comparePage } from "../../src/worker/log/compare-page.ts";
import type { InventoryPage } from "../../src/worker/log/inventory-page.ts";
import type { RowKey } from "../../src/worker/store/integrity-rows.ts";
import { append, sql } from "../audit/support.ts";

const ORG = "inventoried";
/** When the last comparison was: all events of the log are later. */
const COMPARED = Date.parse("2025-12-01T00:00:00Z");
const page = (from: RowKey | null, to: RowKey | null): InventoryPage => ({
  at: COMPARED,
  from: from && [...from],
  to: to && [...to],
  next: null,
  seqs: { [ORG]: 0 },
  ends: {},
  back: {},
  entries: [],
  reported: [],
});

/** How many rows D1 reads for the comparison of one page. */
async function rowsRead(table: RecordedTable, one: InventoryPage): Promise<number> {
  const { keyring } = await loadConfig(env);
  const batch = env.DB.batch.bind(env.DB);
  let read = 0;
  vi.spyOn(env.DB, "batch").mockImplementation((async (statements: D1PreparedStatement[]) => {
    const results = await batch(statements);
    for (const { meta } of results) read += meta.rows_read;
    return results;
  }) as typeof env.DB.batch);
  await comparePage({ db: env.DB, keyring, now: new Date(COMPARED + 3_600_000) }, table, one);
  vi.restoreAllMocks();
  return read;
}

/** Makes tokens, links and secrets: `few` of each whose keys begin with `start`. */
async function addRows(start: string, few: number, org = ORG): Promise<void> {
  const of = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ${few}), k (org, id) AS (SELECT '${org}', '${start}' || printf('%06d', i) FROM n)`;
  await sql(`${of} INSERT INTO tokens (id, org, label, permissions, created_at, created_by, expires_at) SELECT id, org, 'l', 'p', 0, 's', 0 FROM k`);
  await sql(`${of} INSERT INTO scopes (org, scope, parent) SELECT org, 'repo:' || id, 'team:t' FROM k`);
}

const PAGES: readonly (readonly [string, RecordedTable, InventoryPage])[] = [
  ["a page in the middle", "tokens", page(["m"], ["n"])],
  ["the last page", "tokens", page(["m"], null)],
  ["the first page", "tokens", page(null, ["n"])],
  ["the only page", "trusts", page(null, null)],
  ["a page in the middle", "scopes", page([ORG, "repo:m"], [ORG, "repo:n"])],
];
const before = new Map<InventoryPage, number>();

beforeAll(async () => {
  await addRows("m", 50);
  await append(ORG, 20);
  for (const [, table, one] of PAGES) before.set(one, await rowsRead(table, one));
  // What lies beyond the page, and releases, are no matter; beyond the end of the last page lies nothing.
  await append(ORG, 5_000, { action: "secret.resolve" });
}, 60_000);
afterEach(() => vi.restoreAllMocks());

it.each(PAGES)("the comparison of %s of %s reads what is in it, however many releases there were", async (_, table, one) => {
  expect(await rowsRead(table, one)).toBeLessThanOrEqual((before.get(one) ?? 0) + 5);
});

it("reads no more where there are thousands of rows beyond it, and no more than a page where they are in it", async () => {
  await addRows("d", 8_000);
  await addRows("z", 8_000, "after");
  for (const [what, table, one] of PAGES) {
    const read = await rowsRead(table, one);
    // Where the end is open a page has up to a thousand rows, which are read for themselves and for their organizations.
    const more = one.from === null || one.to === null ? 5 * 1_001 : 5;
    expect(read, `${what} of ${table}`).toBeLessThanOrEqual((before.get(one) ?? 0) + more);
  }
});
