import { Problem } from "../../contract/problem.ts";
import { QUOTAS, type Quotas, REFUSED_SHARE } from "../../contract/quota.ts";
import { tooManyEvents, tooManyRefusals } from "../audit/recent-events.ts";
import { eventsAMinute } from "../store/quota-rows.ts";

/** What the SQL below is given, in JSON. */
export interface EventQuota {
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

/** SQL for whether an organization has had as many events in the last minute as it may, of the SQL for its {@link EventQuota}. */
export function noMoreEvents(quota: string): string {
  return tooManyEvents(partsOf(quota));
}

/** The same of refused calls, which may make a part of the events and no more. */
export function noMoreRefusals(quota: string): string {
  const { most, ...parts } = partsOf(quota);
  return tooManyRefusals({ ...parts, most: `(${most} / ${REFUSED_SHARE})` });
}

/** Nothing is done without an event, and there is none left in this minute. */
export function noEventLeft(): Problem {
  return new Problem("rate-limited", `The organization has used up its quota events_per_minute (${QUOTAS.events_per_minute.about.toLowerCase()})`, {
    headers: { "Retry-After": "10" },
  });
}
