import type { Caller } from "../access/caller.ts";
import { networkOf } from "../access/network-of.ts";
import type { OpenedLease } from "../audit/insert-event.ts";
import { namedByUses } from "../audit/lease-events.ts";
import { type Lease, markOf, type Tally } from "../leases/lease.ts";
import type { Leases } from "../leases/leases.ts";
import { askEpochs, epochsIn, isStillLast, noteEpochs } from "../leases/note-epochs.ts";
import { beginTally, dropTally, endTally, keepLease } from "../leases/report-uses.ts";
import { type EpochRow, selectEpochs } from "../store/epoch-rows.ts";
import { type ResolutionQuery, selectWinners, type WinnerRow } from "../store/resolution.ts";
import { rowsOf } from "../store/run-batch.ts";
import { newId } from "../transaction/new-id.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { tokenMarks } from "../transaction/token-standing.ts";
import { type KeptValue, keptValues, sizeOfValues } from "./kept-values.ts";
import { listSkipped } from "./list-skipped.ts";
import { inlineCiphertexts } from "./read-values.ts";
import { type RecordedLease, type RecordNeeds, recordSelection, stateOf } from "./record-selection.ts";
import { type QueryNeeds, type ResolveRequest, resolutionQuery } from "./resolution-query.ts";
import { type Findings, type RecordedSelection, winnersIn } from "./selection.ts";
import { verifyFound } from "./verify-found.ts";

/** How often an answer is given again at the most, before it is asked for anew. */
const MAX_USES = 10_000;

/** An answer that is kept: what it was made of, with ciphertexts and never with values, and how to find out whether it is still the same. */
export interface LeasedAnswer<Form> {
  readonly values: readonly KeptValue[];
  readonly findings: Findings;
  /** How it was given. */
  readonly form: Form;
  readonly caller: Caller;
  readonly query: ResolutionQuery;
  readonly state: string;
}

/** A caller's wish that what it is given may be given to it again. */
export interface LeaseAsk<Form> {
  readonly leases: Leases<LeasedAnswer<Form>>;
  /** What is asked, by whom, from where. */
  readonly key: string;
  /** For so long. */
  readonly seconds: number;
}

/** What resolving under a lease needs. */
export interface LeasedResolveNeeds extends RecordNeeds, QueryNeeds {
  readonly kv: KVNamespace;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly defer: (work: Promise<unknown>) => void;
}

/** A lease that is on record, with what it is about. Times are milliseconds since 1970. */
export interface OpenLease<Form> {
  readonly id: string;
  readonly until: number;
  /** Keeps the answer, now that it has been given. */
  readonly keep: (form: Form) => void;
}

/**
 * Resolves as `resolveSecrets` does, and puts on record that the same may be given again: for as long as was asked for, the
 * token lives and none of the secrets expires. What is selected comes with its ciphertexts, as far as they can be had.
 *
 * @returns The selection, and the lease, `null` where there is none.
 * @throws {Problem} as `resolveSecrets`.
 */
export async function resolveLeased<Form>(
  needs: LeasedResolveNeeds,
  caller: Caller,
  request: ResolveRequest,
  ask: LeaseAsk<Form>,
): Promise<{ readonly selection: RecordedSelection; readonly lease: OpenLease<Form> | null }> {
  caller.require("secrets:resolve", request.scopes, request.names);
  const query = resolutionQuery(needs, caller, "secrets:resolve", request);
  const orgs = [...new Set([caller.org, ...(needs.platformOrg === null ? [] : [needs.platformOrg])])];
  const epochs = askEpochs(ask.leases, orgs, needs.now.getTime());
  const opened = openedLease(caller, ask.seconds, needs.now);
  const facts = factsOf(caller);
  const tally = beginTally(ask.leases, needs, opened.id, facts);
  try {
    const { lease, ...selected } = await recordSelection(needs, caller, query, { action: "secret.resolve", lease: { opened, orgs: epochs.orgs } });
    const recorded = listSkipped(selected, request, needs.reservedNames);
    if (lease === null) {
      dropTally(ask.leases, tally);
      return { selection: recorded, lease: null };
    }
    facts.secrets = namedByUses(lease.secrets);
    noteEpochs(ask.leases, lease.epochs, epochs);
    const selection = { ...recorded, secrets: await inlineCiphertexts(needs.kv, recorded.secrets) };
    const keep = (form: Form) => {
      const values = keptValues(selection);
      const answer = values && { values, findings: findingsOf(selection), form, caller, query, state: lease.state };
      // What was revoked meanwhile was looked for in what was kept by then.
      if (!answer || !isStillLast(ask.leases, lease.epochs, caller.org)) return endTally(tally);
      keepLease(ask.leases, leaseOf(ask, answer, lease, tally, orgs, needs.now));
    };
    return { selection, lease: { id: lease.id, until: lease.until, keep } };
  } catch (error) {
    // The event may be there all the same, with a lease that nobody uses.
    endTally(tally);
    throw error;
  }
}

/**
 * Finds out whether what is kept is still what a resolve would answer.
 *
 * @returns The epochs under which it is; `undefined` when it is not.
 * @throws {Problem} what a resolve would be refused by now; `storage-unavailable`.
 */
export async function compareAnswer<Form>(
  needs: CallerNeeds & Pick<LeasedResolveNeeds, "clock">,
  leases: Leases<LeasedAnswer<Form>>,
  { answer, orgs }: Lease<LeasedAnswer<Form>>,
): Promise<string | undefined> {
  const now = needs.clock();
  const asked = askEpochs(leases, orgs, now);
  const [found, epochs] = await readForCaller(needs, answer.caller, [selectWinners(needs.db, { ...answer.query, now }), selectEpochs(needs.db, asked.orgs)]);
  const rows = rowsOf<WinnerRow>(found);
  const [unverified] = await verifyFound(needs.keyring, rows[0]?.links ?? "[]", winnersIn(rows));
  if (unverified) throw unverified.problem;
  const epochRows = rowsOf<EpochRow>(epochs);
  noteEpochs(leases, epochRows, asked);
  return stateOf(rows) === answer.state ? epochsIn(epochRows, orgs) : undefined;
}

function openedLease({ expiresAt, verifiedUntil, ip }: Caller, seconds: number, now: Date): OpenedLease {
  const ends = [now.getTime() + seconds * 1000, ...[expiresAt, verifiedUntil].filter((end) => end !== null)];
  return { id: newId("lse"), until: Math.min(...ends), max_uses: MAX_USES, ip: networkOf(ip) };
}

/** What is released is told by the event. */
function factsOf({ org, subject, tokenId, lineage, requestId, ip, userAgent }: Caller): { -readonly [Fact in keyof Tally["facts"]]: Tally["facts"][Fact] } {
  const issuer = lineage?.issuer ?? null;
  return { org, actor: subject, token_id: tokenId, issuer, secrets: "[]", request_id: requestId, ip: networkOf(ip), user_agent: userAgent };
}

function findingsOf({ missing, expired, skipped, unavailable, searched, empty, object }: Findings): Findings {
  return { missing, expired, skipped, unavailable, searched, empty, object };
}

function leaseOf<Form>(
  { key }: LeaseAsk<Form>,
  answer: LeasedAnswer<Form>,
  { until, epochs }: RecordedLease,
  tally: Tally,
  orgs: readonly string[],
  now: Date,
): Lease<LeasedAnswer<Form>> {
  const { caller, values } = answer;
  const marks = tokenMarks(caller);
  return {
    key,
    org: caller.org,
    holder: caller.tokenId ?? caller.subject,
    orgs,
    marks: new Set(marks?.marks.map(([kind, value]) => markOf(kind, value)) ?? []),
    issuedAt: marks?.issued_at ?? null,
    openedAt: now.getTime(),
    until,
    maxUses: MAX_USES,
    size: sizeOfValues(values) + sizeOfRest(answer),
    answer,
    tally,
    epochs: epochsIn(epochs, orgs),
    renewing: false,
  };
}

/** What else of an answer grows with what was asked, in bytes. */
function sizeOfRest({ caller, query, findings, state }: LeasedAnswer<unknown>): number {
  const texts = JSON.stringify([query, findings, caller.secretScopes, caller.secretNames, caller.lineage, caller.userAgent]);
  return 2 * (texts.length + state.length);
}
