import type { LeaseCalls } from "../../contract/audit.ts";

/** How many different requests are told from each other, and how long all of their names may be together, in characters. */
const MOST_REQUESTS = 20;
const MOST_CHARACTERS = 600;
/** The longest name of one. */
const LONGEST = 120;
/** How many statuses are told from each other; of others it is the class (`400` for all from 400 to 499). */
const MOST_STATUSES = 5;

/** What has been asked of a service under a lease. */
export interface CallsOfLease {
  /** How often what was asked: a method and a path without what names one thing of many. */
  readonly requests: Map<string, number>;
  characters: number;
  /** How often what there was no more room for. */
  others: number;
  readonly statuses: Map<number, number>;
  /** Bytes of bodies. */
  sent: number;
  received: number;
}

/** Of a lease under which nothing has been asked yet. */
export function callsOfLease(): CallsOfLease {
  return { requests: new Map(), characters: 0, others: 0, statuses: new Map(), sent: 0, received: 0 };
}

/** A segment that names one thing of many: numbers, UUIDs, hashes, and what has been made up by a machine. */
const IDENTIFIER = /^(?:\d+|[0-9a-f-]{16,}|(?=.*\d)[\w.~%-]{20,})$/i;

/** The name under which requests are counted: its path has `*` for each segment that names one thing of many. */
export function nameOfRequest(method: string, path: string): string {
  const segments = path.split("/").map((segment) => (IDENTIFIER.test(segment) ? "*" : segment));
  return `${method} ${segments.join("/")}`.slice(0, LONGEST);
}

/** Counts a request. */
export function countRequest(calls: CallsOfLease, method: string, path: string): void {
  const name = nameOfRequest(method, path);
  const before = calls.requests.get(name);
  const isRoom = calls.requests.size < MOST_REQUESTS && calls.characters + name.length <= MOST_CHARACTERS;
  if (before === undefined && !isRoom) {
    calls.others += 1;
    return;
  }
  if (before === undefined) calls.characters += name.length;
  calls.requests.set(name, (before ?? 0) + 1);
}

/** Counts what came of one. */
export function countStatus({ statuses }: CallsOfLease, told: number): void {
  const status = statuses.has(told) || statuses.size < MOST_STATUSES ? told : told - (told % 100);
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
}

/** As an event says it. */
export function noteOfCalls({ requests, others, statuses, sent, received }: CallsOfLease): LeaseCalls {
  return {
    requests: [...requests].map(([request, count]) => ({ request, count })),
    other_requests: others,
    statuses: [...statuses].map(([status, count]) => ({ status, count })),
    sent_bytes: sent,
    received_bytes: received,
  };
}
