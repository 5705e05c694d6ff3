import { formatTime } from "../../contract/time.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { type StatementRow, selectStatement } from "../audit/statements.ts";
import { noteSize } from "../store/database-sizes.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { insertOwnEvent } from "../transaction/insert-own-event.ts";
import { type RunStatement, readStatement, runStatementSchema, writeStatement } from "./statement.ts";

const DAY = 86_400_000;

interface Needs {
  readonly db: D1Database;
  readonly logKeys: LogKeys;
  readonly platformOrg: string | null;
  readonly retentionDays: number;
  /** `AUDIT_RETENTION_CONFIRM`: a shorter retention that need not wait. */
  readonly retentionConfirm: number | null;
  readonly now: Date;
}

/** What a scheduled run may do. */
export interface ScheduledRun {
  /** The last run was more than a day ago, or is yet to come, by the clock: this one does nothing but note that. */
  readonly resumed: boolean;
  /** Whether runs have followed each other for a day: before that no event is removed. */
  readonly steady: boolean;
  /** The retention in force. */
  readonly retentionDays: number;
}

/**
 * Notes that there is a run, and once an hour how full the database is. A clock that jumps, a retention that is shortened by mistake or by somebody else, or a note
 * of before that is put back, removes nothing: it takes a day of runs, in which it can be seen.
 *
 * @throws {Problem} `storage-unavailable`; then there is no run.
 */
export async function recordRun(needs: Needs): Promise<ScheduledRun> {
  const { db, logKeys, platformOrg, now } = needs;
  const [found] = await runBatch(db, [selectStatement(db, "run")]);
  const was = await readStatement(logKeys, runStatementSchema, rowsOf<StatementRow>(found)[0]);
  const before = was === "bent" ? undefined : was;
  const resumed = before !== undefined && Math.abs(now.getTime() - Date.parse(before.at)) > DAY;
  const since = before === undefined || resumed ? formatTime(now.getTime()) : before.since;
  const retention = nextRetention(before?.retention, needs);
  const noted = [
    ...(was === "bent" ? [["integrity.failed", "statement:run"] as const] : []),
    ...(retention.next && retention.next.noted_at !== before?.retention.next?.noted_at ? [["audit.retention", shortening(retention)] as const] : []),
  ];
  await runBatch(db, [
    ...noteSize(db, found?.meta.size_after ?? 0, now.getTime()),
    await writeStatement(db, logKeys, { name: "run", at: formatTime(now.getTime()), since, retention }),
    ...(platformOrg === null ? [] : noted.map(([action, target]) => insertOwnEvent(db, platformOrg, action, target, now))),
  ]);
  return { resumed, steady: now.getTime() - Date.parse(since) >= DAY, retentionDays: retention.days };
}

/** Which retention is in force: a longer one at once, a shorter one a day after it was noted, or at once if it was confirmed. */
function nextRetention(was: RunStatement["retention"] | undefined, { retentionDays: days, retentionConfirm, now }: Needs): RunStatement["retention"] {
  if (was === undefined || days >= was.days || retentionConfirm === days) return { days, next: null };
  const next = was.next?.days === days ? was.next : { days, noted_at: formatTime(now.getTime()) };
  return now.getTime() - Date.parse(next.noted_at) >= DAY ? { days, next: null } : { days: was.days, next };
}

function shortening({ days, next }: RunStatement["retention"]): string {
  return `shorter:${days}:${next?.days}`;
}
