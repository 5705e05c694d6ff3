import type { Backlog, WaitingWork } from "../../contract/backlog.ts";
import { selectDueEvents, selectPendingEvents } from "../audit/due-archives.ts";
import { selectUnsettledCount } from "../audit/lease-events.ts";
import { selectOldEvents } from "../audit/old-logs.ts";
import { selectUnseenEvents, type WaitingEvents } from "../audit/waiting-events.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { type DatabaseSize, selectSizeOfYesterday } from "../store/database-sizes.ts";
import { selectSharedEnvNames } from "../store/env-names.ts";
import { type Deferred, selectDeferred } from "../store/key-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { ROW_JOBS, selectWaitingRows, type WaitingRows } from "../store/waiting-rows.ts";
import { daysLeft } from "./days-left.ts";

const DAY = 86_400_000;

interface Needs {
  readonly db: D1Database;
  readonly keyring: Keyring;
  readonly now: Date;
  /** The retention in force. */
  readonly retentionDays: number;
  /** After how many days sealed events leave D1. */
  readonly hotDays: number;
}

/**
 * What waits for scheduled work or for somebody to look at it, and how full the database is. Rows are counted up to a
 * bound, and of each organization's log a few rows are read.
 *
 * @throws {Problem} `storage-unavailable`.
 */
export async function readBacklog(needs: Needs): Promise<Backlog> {
  const { db, keyring, now, retentionDays, hotDays } = needs;
  const at = now.getTime();
  const cold = at - hotDays * DAY;
  const old = at - Math.max(1, retentionDays) * DAY;
  const olderKeys = [...keyring.keys.keys()].filter((id) => id !== keyring.current);
  const [deferred, shared, size, leases, unsealed, undigested, due, pending, removable, ...rows] = await runBatch(db, [
    selectDeferred(db),
    selectSharedEnvNames(db),
    selectSizeOfYesterday(db, at),
    selectUnsettledCount(db, at),
    selectUnseenEvents(db, "seal"),
    selectUnseenEvents(db, "secrets"),
    selectDueEvents(db, { before: cold, now: at }),
    selectPendingEvents(db, at),
    selectOldEvents(db, { before: old, now: at }),
    ...selectWaitingRows(db, at, olderKeys),
  ]);
  const bytes = deferred?.meta.size_after ?? 0;
  const ago = (many: number, since: number | null, from = at) => (many === 0 ? 0 : since === null ? null : Math.max(0, Math.floor((from - since) / 1_000)));
  const rowsIn = (result: D1Result | undefined) => {
    const { rows: many, since } = only<WaitingRows>(result);
    return { rows: many, seconds: ago(many, since) };
  };
  const eventsIn = (result: D1Result | undefined, from = at) => {
    const { events, since } = only<WaitingEvents>(result);
    return { events, seconds: ago(events, since, from) };
  };
  // A part of a log is a day of it, so it may wait for a day more.
  const parts = [eventsIn(due, cold - DAY), eventsIn(pending)] as const;
  return {
    ...only<Deferred>(deferred),
    ...only<Pick<Backlog, "env_name_conflicts">>(shared),
    scheduled: {
      ...(Object.fromEntries(ROW_JOBS.map((job, n) => [job, rowsIn(rows[n])])) as Pick<WaitingWork, (typeof ROW_JOBS)[number]>),
      leases_unsettled: rowsIn(leases),
      sealed: eventsIn(unsealed),
      digested: eventsIn(undigested),
      archived: { events: parts[0].events + parts[1].events, seconds: Math.max(parts[0].seconds ?? 0, parts[1].seconds ?? 0) },
      events_removed: eventsIn(removable, old),
    },
    database_bytes: bytes,
    database_days_left: daysLeft({ at, bytes }, rowsOf<DatabaseSize>(size)[0]),
  };
}

function only<T>(result: D1Result | undefined): T {
  const [row] = rowsOf<T>(result);
  if (!row) throw new Error("the backlog was not counted");
  return row;
}
