import type { Quotas } from "../../contract/quota.ts";
import { networkOf } from "../access/network-of.ts";
import type { Refusal } from "../access/refusal.ts";
import { givenSecrets, insertEvent } from "../audit/insert-event.ts";
import { addRefusals, type RefusalRow } from "../store/identity-rows.ts";
import { runBatch } from "../store/run-batch.ts";
import { unlessRefusalsUsedUp } from "../transaction/event-quota.ts";
import { newId } from "../transaction/new-id.ts";

const MINUTE = 60_000;
/** How many events an isolate writes of one organization in a minute, and how often it writes what it has counted under its trusts. */
const A_MINUTE = 20;
/** How many kinds of refusals of one organization have events of their own. One more is of all the others. */
const KINDS = 9;
const OTHERS = "others";
/** How many reasons of one organization wait to be written to its trusts; one more of another kind is not counted there. */
const WAITING = 50;
/** Of how many organizations refusals are counted at once. */
const ORGS = 1_000;

/** A token that was refused, in an organization that it would have been for. */
export interface RefusedToken {
  readonly org: string;
  /** The trust under which it was to be exchanged; `null` for a token that was used. */
  readonly trust: string | null;
  /** Whose token it was, as far as that is verified. */
  readonly actor: string | null;
  readonly tokenId: string | null;
  /** Who issued it. */
  readonly issuer: string | null;
  readonly reason: Refusal;
  /** The condition or template of the trust that it does not fulfil; `null` for none. */
  readonly about: string | null;
  readonly ip: string | null;
  /** Whether it has an event here: some refusals have one of their own, and what an issuer is at fault for has none. */
  readonly logged: boolean;
}

/** Of which refusals events are. */
type Kind = Omit<RefusedToken, "reason" | "about" | "logged"> & { readonly reason: string };

/** What has been counted of one kind of refusal. */
interface Counted {
  readonly refused: Kind;
  /** How many there were in this minute. */
  inMinute: number;
  /** How many are not in the log yet. */
  unwritten: number;
}

/** What has been counted of one organization. */
interface Tally {
  minute: number;
  /** How many events were written in it. */
  events: number;
  /** How often in it something was written to its trusts. */
  writes: number;
  readonly kinds: Map<string, Counted>;
  /** What its trusts have not been told yet. */
  readonly waiting: Map<string, RefusalRow>;
}

/** What an isolate has counted, by organization. */
export type Refusals = Map<string, Tally>;

/** What counting needs. */
export interface RefusalNeeds {
  readonly db: D1Database;
  readonly now: Date;
  /** What an organization may have that has no quotas of its own. */
  readonly quotas: Quotas;
  /** Lets work go on after the reply, for up to half a minute. */
  readonly defer: (work: Promise<unknown>) => void;
}

/**
 * Counts that a token was refused, for the organization that it would have been for: in its log, and under the trust.
 *
 * In the log: of its trust, reason and address (of IPv6 the first 64 bits) the first one in a minute at once, and then how
 * many there were since whenever there are four times as many; in a minute 20 events `token.refused` of an organization at
 * the most. Under the trust: by reason and condition, 20 times a minute. Whoever sends junk fills no log, holds up no call,
 * and takes nothing of this from another organization. What comes after the last write is in the next one, if anything is
 * refused here again.
 */
export function noteRefusal(refusals: Refusals, needs: RefusalNeeds, refused: RefusedToken): void {
  const tally = tallyOf(refusals, refused.org, Math.floor(needs.now.getTime() / MINUTE));
  if (!tally) return;
  const statements = [...countForLog(tally, needs, refused), ...countForTrust(tally, needs, refused)];
  if (statements.length > 0) needs.defer(runBatch(needs.db, statements));
}

function countForLog(tally: Tally, needs: RefusalNeeds, { logged, about: _, ...refused }: RefusedToken): D1PreparedStatement[] {
  if (!logged) return [];
  const counted = kindOf(tally.kinds, { ...refused, ip: networkOf(refused.ip) });
  counted.inMinute += 1;
  counted.unwritten += 1;
  if (!isPowerOfFour(counted.inMinute) || tally.events >= A_MINUTE) return [];
  tally.events += 1;
  const event = eventOf(needs, counted);
  counted.unwritten = 0;
  return [event];
}

function countForTrust(tally: Tally, { db, now }: RefusalNeeds, { org, trust, reason, about }: RefusedToken): D1PreparedStatement[] {
  if (trust === null) return [];
  const at = now.getTime();
  const key = JSON.stringify([trust, reason, about]);
  const before = tally.waiting.get(key);
  if (before) tally.waiting.set(key, { ...before, count: before.count + 1, last_at: at });
  else if (tally.waiting.size < WAITING) tally.waiting.set(key, { org, trust, reason, about: about ?? "", count: 1, first_at: at, last_at: at });
  if (tally.writes >= A_MINUTE) return [];
  tally.writes += 1;
  const counted = [...tally.waiting.values()];
  tally.waiting.clear();
  return [addRefusals(db, counted)];
}

/** What is counted of an organization; in another minute what was quiet in the one before is forgotten. */
function tallyOf(refusals: Refusals, org: string, minute: number): Tally | undefined {
  const known = refusals.get(org);
  if (known?.minute === minute) return known;
  if (!known) {
    if (refusals.size >= ORGS) for (const [other, tally] of refusals) if (tally.minute < minute) refusals.delete(other);
    if (refusals.size >= ORGS) return undefined;
  }
  const tally: Tally = { minute, events: 0, writes: 0, kinds: known?.kinds ?? new Map(), waiting: known?.waiting ?? new Map() };
  for (const [key, counted] of tally.kinds) {
    if (counted.unwritten === 0) tally.kinds.delete(key);
    counted.inMinute = 0;
  }
  refusals.set(org, tally);
  return tally;
}

function kindOf(kinds: Map<string, Counted>, refused: Kind): Counted {
  const { org, trust, actor, tokenId, issuer, reason, ip } = refused;
  const key = JSON.stringify([trust, tokenId, issuer, reason, ip]);
  const known = kinds.get(key);
  if (known) return known;
  const others = { org, trust: null, actor: null, tokenId: null, issuer: null, reason: OTHERS, ip: null };
  if (kinds.size >= KINDS && reason !== OTHERS) return kindOf(kinds, others);
  const counted: Counted = { refused: { org, trust, actor, tokenId, issuer, reason, ip }, inMinute: 0, unwritten: 0 };
  kinds.set(key, counted);
  return counted;
}

function isPowerOfFour(count: number): boolean {
  return Number.isInteger(Math.log2(count) / 2);
}

function eventOf({ db, quotas, now: at }: RefusalNeeds, { refused, unwritten }: Counted): D1PreparedStatement {
  const { org, trust, actor, tokenId, issuer, reason, ip } = refused;
  const subject = actor ?? (trust === null ? "keyhole:refused" : `trust:${trust}`);
  const target = [...(trust === null ? [] : [`trust:${trust}`]), reason, unwritten === 1 ? "once" : `${unwritten} times`].join(" ");
  // Of all isolates together they have the share of refused calls, too.
  const unless = unlessRefusalsUsedUp(org, quotas, at);
  const who = { org, subject, tokenId, lineage: issuer === null ? null : { issuer }, requestId: newId("req"), ip, userAgent: null };
  return insertEvent(db, { actor: who, action: "token.refused", outcome: "denied", at, target }, givenSecrets([], unless));
}
