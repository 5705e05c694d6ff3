import type { AuditEvent } from "../../contract/audit.ts";
import { matchesAny } from "../../contract/pattern.ts";
import type { Caller } from "../access/caller.ts";
import { type CheckpointRow, type LogExtent, selectCheckpoints, selectExtent } from "../audit/checkpoints.ts";
import { type GenerationRow, selectGenerations } from "../audit/generations.ts";
import { type EventQuery, type EventRow, SCAN, type Scanned, selectEvents } from "../audit/read-events.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type Page, pageOf } from "../transaction/page-of.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { eventBody } from "./event-body.ts";

/** Which events are wanted; see {@link EventQuery}. */
export type LogQuery = Omit<EventQuery, "org" | "limit">;

/** One page of events. It may be short: one read looks at a bounded part of the log. */
export interface LogPage {
  readonly events: readonly AuditEvent[];
  /** The next page begins beyond this event; `null` at the end of the log. */
  readonly next: number | null;
}

/**
 * Reads the organization's audit log. A caller whose grant has limits sees what happened to the secrets within them,
 * and nothing else.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function readLog({ db, keyring }: CallerNeeds, caller: Caller, query: LogQuery, limit: number): Promise<LogPage> {
  caller.require("audit:read");
  const [found, far] = await readForCaller({ db, keyring }, caller, selectEvents(db, { ...query, org: caller.org, limit: limit + 1 }));
  const { rows, next } = pageOf(rowsOf<EventRow>(found), limit, ({ seq }) => seq);
  const events = rows.map(eventBody).flatMap((event) => visibleTo(caller, event));
  if (next !== null) return { events, next };
  const [{ looked_at, last } = { looked_at: 0, last: null }] = rowsOf<Scanned>(far);
  return { events, next: looked_at === SCAN ? last : null };
}

function visibleTo({ secretScopes, secretNames }: Caller, event: AuditEvent): AuditEvent[] {
  if (secretScopes === null && secretNames === null) return [event];
  const secrets = event.secrets.filter(
    ({ scope, name }) => scope !== null && name !== null && matchesAny(secretScopes, scope) && matchesAny(secretNames, name),
  );
  return secrets.length > 0 ? [{ ...event, secrets }] : [];
}

/** How many events a stream reads at once. */
const AT_ONCE = 1_000;

/**
 * Streams every matching event as newline-delimited JSON, oldest first, reading as fast as it is read.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`, both before the first byte.
 */
export async function streamLog(needs: CallerNeeds, caller: Caller, query: Omit<LogQuery, "order" | "beyond">): Promise<ReadableStream<Uint8Array>> {
  const encoder = new TextEncoder();
  const read = (beyond: number | null) => readLog(needs, caller, { ...query, beyond, order: "oldest first" }, AT_ONCE);
  let page: LogPage | null = await read(null);
  return new ReadableStream({
    async pull(controller) {
      if (page === null) return controller.close();
      controller.enqueue(encoder.encode(page.events.map((event) => `${JSON.stringify(event)}\n`).join("")));
      page = page.next === null ? null : await read(page.next);
    },
  });
}

/** One page of checkpoints, in their order, the log's head, and the restores that were accepted. */
export type CheckpointPage = Page<CheckpointRow, number> & { readonly head: string | null; readonly generations: readonly string[] };

/**
 * Lists the checkpoints of the organization's log.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function listCheckpoints({ db, keyring }: CallerNeeds, caller: Caller, after: number, limit: number): Promise<CheckpointPage> {
  caller.require("audit:read");
  const [found, extents, restores] = await readForCaller({ db, keyring }, caller, [
    selectCheckpoints(db, caller.org, after, limit + 1),
    selectExtent(db, caller.org),
    selectGenerations(db, caller.org),
  ]);
  const head = rowsOf<LogExtent>(extents)[0]?.head ?? null;
  const generations = rowsOf<GenerationRow>(restores).map(({ jws }) => jws);
  return { ...pageOf(rowsOf<CheckpointRow>(found), limit, ({ number }) => number), head, generations };
}
