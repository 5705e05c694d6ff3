import { type RecordedTable, type RowEvent, type RowStretch, selectRowEvents } from "../audit/row-events.ts";
import { type FaultyRow, SKEW } from "../log/compare-page.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";

const ENDS: ReadonlySet<string> = new Set(["secret.delete", "secret.purge", "scope.delete", "trust.delete"]);

/**
 * Finds the rows whose own last event says that they were made or changed after the database was set back. A log that was set back
 * gives new events the numbers of those that were lost, so the number does not tell; the time does.
 *
 * @param setBack When an organization's rows had been compared last before its log was found to be set back, in milliseconds since
 *   1970: what was lost is older, what is newer came after it.
 * @returns The keys of those rows, as JSON.
 */
export async function newerRows(
  db: D1Database,
  table: RecordedTable,
  rows: readonly FaultyRow[],
  setBack: (org: string) => number,
): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set();
  const stretch: RowStretch = {
    table,
    within: (keys, parameter) =>
      `(${keys.join(", ")}) IN (SELECT ${keys.map((_, n) => `r.value ->> '$.key[${n}]'`).join(", ")} FROM json_each(${parameter}) r)`,
    orgs: (parameter) => `SELECT r.value ->> 'org' AS org FROM json_each(${parameter}) r`,
    parameter: JSON.stringify(rows.map(({ org, key }) => ({ org, key }))),
  };
  const [found] = await runBatch(db, [selectRowEvents(db, stretch, {})]);
  const newer = rowsOf<RowEvent>(found).filter(({ org, at, action }) => !ENDS.has(action) && at > setBack(org) - SKEW);
  return new Set(newer.map(({ row_key }) => row_key));
}
