import type { AuditEvent } from "../../contract/audit.ts";
import type { Caller } from "../access/caller.ts";
import { type ArchiveRow, selectArchives } from "../audit/archives.ts";
import { type EventFilter, type EventRow, type Scanned, selectEvents } from "../audit/read-events.ts";
import { rowsOf } from "../store/run-batch.ts";
import { pageOf } from "../transaction/page-of.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { verifyRows } from "../transaction/verify-row.ts";
import { eventBody } from "./event-body.ts";
import { type OpenNeeds, openArchives } from "./open-archive.ts";
import { matches, visibleTo } from "./shown-events.ts";

/** What reading the log needs. */
export type ReadLogNeeds = CallerNeeds & OpenNeeds;

/** How many archives one read opens at the most. */
export const ARCHIVES = 50;

/** One page of events. It may be short: one read looks at a bounded part of the log. */
export interface LogPage {
  readonly events: readonly AuditEvent[];
  /** The next page begins beyond this event; `null` at the end of the log. */
  readonly next: number | null;
}

/**
 * Reads the organization's audit log, newest first: what is in D1, and then what is archived. A caller whose grant has
 * limits sees what happened to the secrets within them, and nothing else.
 *
 * @param beyond The page begins before this event; `null` to begin.
 * @throws {Problem} `forbidden`, `integrity-failed`, `storage-unavailable`.
 */
export async function readLog(needs: ReadLogNeeds, caller: Caller, filter: EventFilter, beyond: number | null, limit: number): Promise<LogPage> {
  caller.require("audit:read");
  const query = { ...filter, org: caller.org, beyond, order: "newest first" as const };
  const [found, far] = await readForCaller(needs, caller, selectEvents(needs.db, { ...query, limit: limit + 1 }));
  const { rows, next } = pageOf(rowsOf<EventRow>(found), limit, ({ seq }) => seq);
  const recent = rows.map(eventBody);
  const further = next ?? rowsOf<Scanned>(far)[0]?.beyond ?? null;
  const page = further === null ? await readArchived(needs, caller, filter, rows.at(-1)?.seq ?? beyond, recent, limit) : { events: recent, next: further };
  return { ...page, events: page.events.flatMap((event) => visibleTo(caller, event)) };
}

/** Fills a page with what is archived before an event. What leaves D1 meanwhile is not there a second time. */
async function readArchived(
  needs: ReadLogNeeds,
  caller: Caller,
  filter: EventFilter,
  beyond: number | null,
  recent: readonly AuditEvent[],
  limit: number,
): Promise<LogPage> {
  const { org } = caller;
  const [found] = await readForCaller(needs, caller, [selectArchives(needs.db, { org, secret_id: filter.secret_id, beyond, order: "newest first" }, ARCHIVES)]);
  const rows = rowsOf<ArchiveRow>(found);
  const events = [...recent];
  const last = rows.at(-1);
  // Whether anything in the others matches the next page shows.
  const full = () => ({ events, next: events.at(-1)?.seq ?? null });
  if (last && events.length === limit) return full();
  for await (const [{ kv_key }, found] of openWithin(needs, filter, rows)) {
    const older = found.filter(({ seq }) => beyond === null || seq < beyond);
    events.push(...older.toReversed());
    const { rows: shown, next } = pageOf(events, limit, ({ seq }) => seq);
    if (next !== null) return { events: shown, next };
    if (events.length === limit && kv_key !== last?.kv_key) return full();
  }
  return { events, next: rows.length === ARCHIVES ? (last?.first_seq ?? null) : null };
}

/** The matching events of archives, each oldest first. One that was written outside of the times asked for is not opened. */
export async function* openWithin(
  needs: OpenNeeds,
  filter: EventFilter,
  rows: readonly ArchiveRow[],
): AsyncGenerator<readonly [ArchiveRow, readonly AuditEvent[]]> {
  const { since, until } = filter;
  const within = (row: ArchiveRow) => (since === null || row.last_at >= since) && (until === null || row.first_at < until);
  await verifyRows(
    needs.keyring,
    "audit_archives",
    rows.filter((row) => !within(row)),
  );
  for await (const [row, stretches] of openArchives(needs, rows.filter(within)))
    yield [row, stretches.flatMap(({ events }) => events.filter((event) => matches(filter, event)))];
}
