import type { AuditEvent } from "../../contract/audit.ts";
import type { Caller } from "../access/caller.ts";
import { type ArchiveRow, selectArchives } from "../audit/archives.ts";
import { type EventFilter, type EventRow, type Scanned, selectEvents } from "../audit/read-events.ts";
import { rowsOf } from "../store/run-batch.ts";
import { pageOf } from "../transaction/page-of.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { eventBody } from "./event-body.ts";
import { ARCHIVES, openWithin, type ReadLogNeeds } from "./read-log.ts";
import { type ExportNeeds, recordExport } from "./record-export.ts";
import { visibleTo } from "./shown-events.ts";

/** How many events a stream reads at once from D1. */
const AT_ONCE = 1_000;

/**
 * Streams every matching event as newline-delimited JSON, oldest first, reading as fast as it is read: what is archived,
 * and then what is in D1. It is on record before anything leaves, and ends before the event that says so.
 *
 * @param after Only events after this one; `null` for all.
 * @throws {Problem} `forbidden`, `rate-limited`, `integrity-failed`, `storage-unavailable`, all before the first byte.
 */
export async function streamLog(
  needs: ReadLogNeeds & ExportNeeds,
  caller: Caller,
  filter: EventFilter,
  after: number | null,
): Promise<ReadableStream<Uint8Array>> {
  caller.require("audit:read");
  const encoder = new TextEncoder();
  const end = await recordExport(needs, caller, filter, after);
  const pages = upTo(end, readPages(needs, caller, filter, after));
  let page = await pages.next();
  return new ReadableStream({
    async pull(controller) {
      if (page.done) return controller.close();
      const shown = page.value.flatMap((event) => visibleTo(caller, event));
      controller.enqueue(encoder.encode(shown.map((event) => `${JSON.stringify(event)}\n`).join("")));
      page = await pages.next();
    },
  });
}

/** The pages without what comes from an event on, up to the first that has some of it. */
async function* upTo(end: number, pages: AsyncIterable<readonly AuditEvent[]>): AsyncGenerator<readonly AuditEvent[]> {
  for await (const page of pages) {
    const before = page.filter(({ seq }) => seq < end);
    yield before;
    if (before.length < page.length) return;
  }
}

async function* readPages(needs: ReadLogNeeds, caller: Caller, filter: EventFilter, after: number | null): AsyncGenerator<readonly AuditEvent[]> {
  const { db } = needs;
  const { org } = caller;
  const { secret_id } = filter;
  for (let beyond = after; ; ) {
    const place = { org, beyond, order: "oldest first" } as const;
    const [archives, found, far] = await readForCaller(needs, caller, [
      selectArchives(db, { ...place, secret_id }, ARCHIVES),
      ...selectEvents(db, { ...filter, ...place, limit: AT_ONCE + 1 }),
    ]);
    const rows = rowsOf<ArchiveRow>(archives);
    const from: number | null = beyond;
    for await (const [, events] of openWithin(needs, filter, rows)) yield events.filter(({ seq }) => from === null || seq > from);
    beyond = rows.at(-1)?.last_seq ?? beyond;
    if (rows.length === ARCHIVES) continue;
    // They were read together: nothing has come between them.
    const page: { readonly rows: readonly EventRow[]; readonly next: number | null } = pageOf(rowsOf<EventRow>(found), AT_ONCE, ({ seq }) => seq);
    yield page.rows.map(eventBody);
    const next: number | null = page.next ?? rowsOf<Scanned>(far)[0]?.beyond ?? null;
    if (next === null) return;
    beyond = next;
  }
}
