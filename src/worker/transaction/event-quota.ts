import { Problem } from "../../contract/problem.ts";
import { QUOTAS, type Quotas, REFUSED_SHARE } from "../../contract/quota.ts";
import { tooManyEvents } from "../audit/recent-events.ts";
import { eventsAMinute, listedInMinute, QUOTA_GUARD, refusedInMinute } from "../store/quota-rows.ts";

/** What the SQL below is given, in JSON. */
interface EventQuota {
  readonly org: string;
  /** How many events an organization may have in a minute that has no quota of its own. */
  readonly events: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What the SQL below is given. */
export function eventQuota(org: string, { events_per_minute }: Quotas, now: Date): EventQuota {
  return { org, events: events_per_minute, now: now.getTime() };
}

const partsOf = (quota: string) => ({
  org: `(${quota} ->> 'org')`,
  most: eventsAMinute(`${quota} ->> 'org'`, `${quota} ->> 'events'`),
  now: `(${quota} ->> 'now')`,
});

/** What one event takes at least, in bytes: lists beside events take no more than so many events. */
const EVENT_BYTES = 460;

/** SQL for whether an organization has had as many events in the last minute as it may, or lists of the size of so many, of the SQL for its {@link EventQuota}. */
function noMoreEvents(quota: string): string {
  const parts = partsOf(quota);
  return `${tooManyEvents(parts)} OR ${listedInMinute(parts.org, parts.now)} > ${parts.most} * ${EVENT_BYTES}`;
}

/** SQL for whether its refused calls have had their part of the events, which is at least one. */
function noMoreRefusals(quota: string): string {
  const { org, most, now } = partsOf(quota);
  return `${refusedInMinute(org, now)} >= MAX(${most} / ${REFUSED_SHARE}, 1)`;
}

/** The same of an event that finds out by itself whether its call is refused: then it takes of the part of refused calls. */
export function noMoreOf(refused: string, quota: string): string {
  return `IIF(${refused}, ${noMoreRefusals(quota)}, ${noMoreEvents(quota)})`;
}

/** What keeps an event of a call from being written that changes nothing: there is none left. */
export function unlessUsedUp(org: string, quotas: Quotas, now: Date) {
  return { sql: noMoreEvents, parameter: JSON.stringify(eventQuota(org, quotas, now)) };
}

/** The same of a call that is refused. */
export function unlessRefusalsUsedUp(org: string, quotas: Quotas, now: Date) {
  return { sql: noMoreRefusals, parameter: JSON.stringify(eventQuota(org, quotas, now)) };
}

/** Aborts the batch with the guard `quota_events_per_minute` when there is no event left for what is not held up otherwise. */
export function requireEventLeft(db: D1Database, org: string, quotas: Quotas, now: Date): D1PreparedStatement {
  const { sql, parameter } = unlessUsedUp(org, quotas, now);
  return db.prepare(`INSERT INTO guard (${QUOTA_GUARD}events_per_minute) SELECT 0 WHERE ${sql("?1")}`).bind(parameter);
}

/** Nothing is done without an event, and there is none left in this minute. */
export function noEventLeft(): Problem {
  return new Problem("rate-limited", `The organization has used up its quota events_per_minute (${QUOTAS.events_per_minute.about.toLowerCase()})`, {
    headers: { "Retry-After": "10" },
  });
}
