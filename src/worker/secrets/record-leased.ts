import type { Caller } from "../access/caller.ts";
import { networkOf } from "../access/network-of.ts";
import type { OpenedLease } from "../audit/insert-event.ts";
import { namedByUses } from "../audit/lease-events.ts";
import { callsOfLease } from "../leases/calls-of-lease.ts";
import { type LeaseFacts, markOf, type Tally } from "../leases/lease.ts";
import type { Leases } from "../leases/leases.ts";
import { askEpochs, epochsIn, isStillLast, noteEpochs } from "../leases/note-epochs.ts";
import { beginTally, dropTally, endTally, keepLease } from "../leases/report-uses.ts";
import type { ResolutionQuery } from "../store/resolution.ts";
import { newId } from "../transaction/new-id.ts";
import { tokenMarks } from "../transaction/token-standing.ts";
import { inlineCiphertexts } from "./read-values.ts";
import { type RecordedLease, type RecordNeeds, recordSelection } from "./record-selection.ts";
import type { RecordedSelection, SelectionEvent } from "./selection.ts";

/** How often an answer is given again at the most, before it is asked for anew. */
const MAX_USES = 10_000;

/** A caller's wish that what it is given may be given to it again. */
export interface LeaseAsk<Answer> {
  readonly leases: Leases<Answer>;
  /** What is asked, by whom, from where. */
  readonly key: string;
  /** For so long. */
  readonly seconds: number;
}

/** What recording under a lease needs. */
export interface LeasedRecordNeeds extends RecordNeeds {
  readonly platformOrg: string | null;
  readonly kv: KVNamespace;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly defer: (work: Promise<unknown>) => void;
}

/** A lease that is on record. Times are milliseconds since 1970. */
export interface BegunLease<Answer> {
  readonly id: string;
  readonly until: number;
  /** What decided what was found, see `stateOf`. */
  readonly state: string;
  /** The epochs under which it was found, as `epochsOf` writes them. */
  readonly epochs: string;
  readonly tally: Tally;
  /** Keeps an answer, now that it has been given, until the lease ends or earlier. `size` is what it takes of the memory, in bytes. */
  readonly keep: (answer: Answer, size: number, until: number) => void;
  /** Ends the lease, where the answer is not given again. */
  readonly end: () => void;
}

/** The organizations whose changes decide what an organization is answered: its own, and the operator's. */
export function decidingOrgs(org: string, platformOrg: string | null): readonly string[] {
  return [...new Set([org, ...(platformOrg === null ? [] : [platformOrg])])];
}

/**
 * Selects and records as `recordSelection` does, and puts on record that the same may be given again: for as long as was asked for, the
 * token lives and none of the secrets expires. What is selected comes with its ciphertexts, as far as they can be had.
 *
 * @returns The selection, and the lease, `null` where there is none.
 * @throws {Problem} as `recordSelection`.
 */
export async function recordLeased<Answer>(
  needs: LeasedRecordNeeds,
  caller: Caller,
  query: ResolutionQuery,
  event: Omit<SelectionEvent, "lease">,
  { leases, key, seconds }: LeaseAsk<Answer>,
): Promise<{ readonly selection: RecordedSelection; readonly lease: BegunLease<Answer> | null }> {
  const orgs = decidingOrgs(caller.org, needs.platformOrg);
  const epochs = askEpochs(leases, orgs, needs.now.getTime());
  const opened = openedLease(caller, seconds, needs.now);
  const facts = factsOf(caller);
  const tally = beginTally(leases, needs, opened.id, facts, event.action === "secret.use" ? callsOfLease() : null);
  try {
    const { lease, ...recorded } = await recordSelection(needs, caller, query, { ...event, lease: { opened, orgs: epochs.orgs } });
    if (lease === null) {
      dropTally(leases, tally);
      return { selection: recorded, lease: null };
    }
    facts.secrets = namedByUses(lease.secrets);
    noteEpochs(leases, lease.epochs, epochs);
    const selection = { ...recorded, secrets: await inlineCiphertexts(needs.kv, recorded.secrets) };
    const end = () => endTally(tally);
    const keep = (answer: Answer, size: number, until: number) => {
      // What was revoked meanwhile was looked for in what was kept by then.
      if (until <= needs.clock() || !isStillLast(leases, lease.epochs, caller.org)) return end();
      const isCut = until < lease.until;
      keepLease(leases, { ...leaseOf(caller, lease, tally, orgs, needs.now), key, size, answer, until: Math.min(until, lease.until), isCut });
    };
    return { selection, lease: { id: lease.id, until: lease.until, state: lease.state, epochs: epochsIn(lease.epochs, orgs), tally, keep, end } };
  } catch (error) {
    // The event may be there all the same, with a lease that nobody uses.
    endTally(tally);
    throw error;
  }
}

function openedLease({ expiresAt, verifiedUntil, ip }: Caller, seconds: number, now: Date): OpenedLease {
  const ends = [now.getTime() + seconds * 1000, ...[expiresAt, verifiedUntil].filter((end) => end !== null)];
  return { id: newId("lse"), until: Math.min(...ends), max_uses: MAX_USES, ip: networkOf(ip) };
}

/** What is released is told by the event. */
function factsOf({ org, subject, tokenId, lineage, requestId, ip, userAgent }: Caller): { -readonly [Fact in keyof LeaseFacts]: LeaseFacts[Fact] } {
  const issuer = lineage?.issuer ?? null;
  return { org, actor: subject, token_id: tokenId, issuer, secrets: "[]", request_id: requestId, ip: networkOf(ip), user_agent: userAgent };
}

function leaseOf(caller: Caller, { epochs }: RecordedLease, tally: Tally, orgs: readonly string[], now: Date) {
  const marks = tokenMarks(caller);
  return {
    org: caller.org,
    holder: caller.tokenId ?? caller.subject,
    orgs,
    marks: new Set(marks?.marks.map(([kind, value]) => markOf(kind, value)) ?? []),
    issuedAt: marks?.issued_at ?? null,
    openedAt: now.getTime(),
    maxUses: MAX_USES,
    tally,
    epochs: epochsIn(epochs, orgs),
    renewing: false,
  };
}
