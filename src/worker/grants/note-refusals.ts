import { networkOf } from "../access/network-of.ts";
import type { ExchangeRefusal, TokenRefusal } from "../access/refusal.ts";
import { insertEvent } from "../audit/insert-event.ts";
import { runBatch } from "../store/run-batch.ts";
import { newId } from "../transaction/new-id.ts";

/** How long refusals are counted before they are written, in milliseconds: less than the platform lets work go on after a reply. */
const WRITE_AFTER = 20_000;
const MINUTE = 60_000;
/** How many events an isolate writes of one organization in a minute. The last one is of all that have none of their own. */
const A_MINUTE = 20;
const OTHERS = "others";
/** How many events one batch writes. */
const AT_ONCE = 50;
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
  readonly reason: TokenRefusal | ExchangeRefusal;
  readonly ip: string | null;
}

/** What has been counted and not written of one kind of refusal. */
interface Counted {
  readonly refused: Omit<RefusedToken, "reason"> & { readonly reason: string };
  count: number;
  /** When its last event was written, in milliseconds since 1970. */
  written: number;
}

/** What an isolate has counted and not written: of each organization, by kind. */
export interface Refusals {
  readonly orgs: Map<string, Map<string, Counted>>;
  writing: boolean;
}

/** What counting needs. */
export interface RefusalNeeds {
  readonly db: D1Database;
  readonly now: Date;
  /** Lets work go on after the reply, for up to half a minute. */
  readonly defer: (work: Promise<unknown>) => void;
}

/** Nothing is counted yet. */
export function noRefusals(): Refusals {
  return { orgs: new Map(), writing: false };
}

/**
 * Counts a token that was refused. Within 20 seconds that is on record, in a minute as one event `token.refused` for each
 * trust, reason and address (of IPv6 the first 64 bits), and as 20 events of an organization at the most: whoever sends junk
 * fills no log, and holds up no call. What comes after its event in the same minute is in the event of a later one, if
 * anything is refused here by then.
 */
export function noteRefusal(refusals: Refusals, needs: RefusalNeeds, refused: RefusedToken): void {
  const kinds = refusals.orgs.get(refused.org) ?? new Map<string, Counted>();
  if (kinds.size === 0 && refusals.orgs.size >= ORGS) return;
  refusals.orgs.set(refused.org, kinds);
  count(kinds, { ...refused, ip: networkOf(refused.ip) }, 1);
  if (refusals.writing) return;
  refusals.writing = true;
  const at = new Date(needs.now.getTime() + WRITE_AFTER);
  needs.defer(new Promise((resolve) => setTimeout(resolve, WRITE_AFTER)).then(() => write(refusals, needs.db, at)));
}

function count(kinds: Map<string, Counted>, refused: Counted["refused"], times: number): void {
  const { org, trust, actor, tokenId, reason, ip } = refused;
  const key = JSON.stringify([trust, tokenId, reason, ip]);
  const known = kinds.get(key);
  if (known) known.count += times;
  // One place is left for all the others.
  else if (kinds.size < A_MINUTE - 1 || reason === OTHERS) kinds.set(key, { refused: { org, trust, actor, tokenId, reason, ip }, count: times, written: 0 });
  else count(kinds, { org, trust: null, actor: null, tokenId: null, reason: OTHERS, ip: null }, times);
}

/** Writes what has been counted and has had no event for a minute. */
async function write(refusals: Refusals, db: D1Database, at: Date): Promise<void> {
  refusals.writing = false;
  const statements: D1PreparedStatement[] = [];
  for (const [org, kinds] of refusals.orgs) {
    for (const [key, counted] of kinds) {
      if (at.getTime() < counted.written + MINUTE) continue;
      if (counted.count > 0) statements.push(eventOf(db, counted, at));
      else kinds.delete(key);
      counted.written = at.getTime();
      counted.count = 0;
    }
    if (kinds.size === 0) refusals.orgs.delete(org);
  }
  for (let n = 0; n < statements.length; n += AT_ONCE) await runBatch(db, statements.slice(n, n + AT_ONCE));
}

function eventOf(db: D1Database, { refused: { org, trust, actor, tokenId, reason, ip }, count: times }: Counted, at: Date): D1PreparedStatement {
  const subject = actor ?? (trust === null ? "keyhole:refused" : `trust:${trust}`);
  const target = [...(trust === null ? [] : [`trust:${trust}`]), reason, `${times} times`].join(" ");
  return insertEvent(
    db,
    { actor: { org, subject, tokenId, requestId: newId("req"), ip, userAgent: null }, action: "token.refused", outcome: "denied", at, target },
    [],
  );
}
