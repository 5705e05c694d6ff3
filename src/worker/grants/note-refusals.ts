import type { Quotas } from "../../contract/quota.ts";
import { networkOf } from "../access/network-of.ts";
import type { ExchangeRefusal, TokenRefusal } from "../access/refusal.ts";
import { givenSecrets, insertEvent } from "../audit/insert-event.ts";
import { runBatch } from "../store/run-batch.ts";
import { eventQuota, noMoreRefusals } from "../transaction/event-quota.ts";
import { newId } from "../transaction/new-id.ts";

/** How long after the first one those that followed are written, in milliseconds: less than the platform lets work go on after a reply. */
const WRITE_AFTER = 20_000;
const MINUTE = 60_000;
/** How many kinds of refusals of one organization have events of their own, two in a minute at the most. One more is of all the others. */
const KINDS = 9;
const OTHERS = "others";
/** Of how many organizations refusals are counted at once. */
const ORGS = 1_000;
/** How many events one batch writes. */
const AT_ONCE = 50;

/** A token that was refused, in an organization that it would have been for. */
export interface RefusedToken {
  readonly org: string;
  /** The trust under which it was to be exchanged; `null` for a token that was used. */
  readonly trust: string | null;
  /** Whose token it was, as far as that is verified. */
  readonly actor: string | null;
  readonly tokenId: string | null;
  readonly reason: TokenRefusal | ExchangeRefusal;
  readonly ip: string | null;
}

/** What has been counted of one kind of refusal. */
interface Counted {
  readonly refused: Omit<RefusedToken, "reason"> & { readonly reason: string };
  /** How many are not in the log yet. */
  count: number;
  /** When the first event of its last minute was written, in milliseconds since 1970; and whether the second one was. */
  begun: number;
  followed: boolean;
}

/** What an isolate has counted: of each organization, by kind. */
export interface Refusals {
  readonly orgs: Map<string, Map<string, Counted>>;
  timed: boolean;
}

/** What counting needs. */
export interface RefusalNeeds {
  readonly db: D1Database;
  readonly now: Date;
  /** What an organization may have that has no quotas of its own. */
  readonly quotas: Quotas;
  /** Lets work go on after the reply, for up to half a minute. */
  readonly defer: (work: Promise<unknown>) => void;
}

/** Nothing is counted yet. */
export function noRefusals(): Refusals {
  return { orgs: new Map(), timed: false };
}

/**
 * Puts on record that a token was refused: the first one of its trust, reason and address (of IPv6 the first 64 bits) at once,
 * and, where more than one followed, 20 seconds later how many; in a minute 20 events `token.refused` of an organization at the most. Whoever sends
 * junk fills no log, and holds up no call. What comes later in the same minute is in the first event of another one.
 */
export function noteRefusal(refusals: Refusals, needs: RefusalNeeds, refused: RefusedToken): void {
  const { now, defer } = needs;
  const { orgs } = refusals;
  const kinds = orgs.get(refused.org) ?? new Map<string, Counted>();
  if (kinds.size === 0 && orgs.size >= ORGS) forgetQuiet(orgs, now.getTime());
  if (kinds.size === 0 && orgs.size >= ORGS) return;
  orgs.set(refused.org, kinds);
  const counted = kindOf(kinds, { ...refused, ip: networkOf(refused.ip) }, now.getTime());
  counted.count += 1;
  if (now.getTime() >= counted.begun + MINUTE) {
    Object.assign(counted, { begun: now.getTime(), followed: false });
    defer(write(needs, [counted], now));
  } else if (counted.count > 1 && !counted.followed && !refusals.timed) {
    refusals.timed = true;
    defer(new Promise((resolve) => setTimeout(resolve, WRITE_AFTER)).then(() => writeFollowing(refusals, needs, new Date(now.getTime() + WRITE_AFTER))));
  }
}

function kindOf(kinds: Map<string, Counted>, refused: Counted["refused"], now: number): Counted {
  const { org, trust, actor, tokenId, reason, ip } = refused;
  const key = JSON.stringify([trust, tokenId, reason, ip]);
  const known = kinds.get(key);
  if (known) return known;
  if (kinds.size >= KINDS) for (const [quiet, { begun, count }] of kinds) if (count === 0 && now >= begun + MINUTE) kinds.delete(quiet);
  if (kinds.size >= KINDS && reason !== OTHERS) return kindOf(kinds, { org, trust: null, actor: null, tokenId: null, reason: OTHERS, ip: null }, now);
  const counted: Counted = { refused: { org, trust, actor, tokenId, reason, ip }, count: 0, begun: 0, followed: false };
  kinds.set(key, counted);
  return counted;
}

/** Forgets organizations of which nothing was refused for a minute. */
function forgetQuiet(orgs: Refusals["orgs"], now: number): void {
  for (const [org, kinds] of orgs) if ([...kinds.values()].every(({ begun }) => now >= begun + MINUTE)) orgs.delete(org);
}

async function writeFollowing(refusals: Refusals, needs: RefusalNeeds, at: Date): Promise<void> {
  refusals.timed = false;
  const due = [...refusals.orgs.values()].flatMap((kinds) => [...kinds.values()]).filter(({ count, followed }) => count > 0 && !followed);
  for (const counted of due) counted.followed = true;
  for (let n = 0; n < due.length; n += AT_ONCE) await write(needs, due.slice(n, n + AT_ONCE), at);
}

async function write({ db, quotas }: RefusalNeeds, due: readonly Counted[], at: Date): Promise<void> {
  const statements = due.map((counted) => eventOf(db, quotas, counted, at));
  for (const counted of due) counted.count = 0;
  await runBatch(db, statements);
}

function eventOf(db: D1Database, quotas: Quotas, { refused: { org, trust, actor, tokenId, reason, ip }, count }: Counted, at: Date): D1PreparedStatement {
  const subject = actor ?? (trust === null ? "keyhole:refused" : `trust:${trust}`);
  const target = [...(trust === null ? [] : [`trust:${trust}`]), reason, count === 1 ? "once" : `${count} times`].join(" ");
  // Of all isolates together they have the share of refused calls, too.
  const unless = { sql: noMoreRefusals, parameter: JSON.stringify(eventQuota(org, quotas, at)) };
  const who = { org, subject, tokenId, requestId: newId("req"), ip, userAgent: null };
  return insertEvent(db, { actor: who, action: "token.refused", outcome: "denied", at, target }, givenSecrets([], unless));
}
