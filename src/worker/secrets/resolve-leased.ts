import type { Caller } from "../access/caller.ts";
import type { Lease } from "../leases/lease.ts";
import type { Leases } from "../leases/leases.ts";
import { askEpochs, epochsIn, noteEpochs } from "../leases/note-epochs.ts";
import { type EpochRow, selectEpochs } from "../store/epoch-rows.ts";
import { type ResolutionQuery, selectWinners, type WinnerRow } from "../store/resolution.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { endOfLease, isOfStore, type KeptValue, keptValues, sizeOfValues } from "./kept-values.ts";
import { listSkipped } from "./list-skipped.ts";
import { type LeaseAsk, type LeasedRecordNeeds, recordLeased } from "./record-leased.ts";
import { stateOf } from "./record-selection.ts";
import type { Released } from "./release-secrets.ts";
import { type QueryNeeds, type ResolveRequest, resolutionQuery } from "./resolution-query.ts";
import { type Findings, type RecordedSelection, winnersIn } from "./selection.ts";
import { verifyFound } from "./verify-found.ts";

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

/** What resolving under a lease needs. */
export type LeasedResolveNeeds = LeasedRecordNeeds & QueryNeeds;

/** A lease that is on record, with what it is about. Times are milliseconds since 1970. */
export interface OpenLease<Form> {
  readonly id: string;
  readonly until: number;
  /** Keeps the answer, now that what is released has been given. */
  readonly keep: (form: Form, released: readonly Released[]) => Promise<void>;
}

/** The lease under which values were released, as whoever is given them is told of it: `null` where one of them has to be asked for again at once. */
export function leaseOfRelease<Lease extends { readonly until: number }>(lease: Lease | null, released: readonly Released[], now: Date): Lease | null {
  const until = lease && endOfLease(lease.until, released);
  return until !== null && until > now.getTime() ? { ...(lease as Lease), until } : null;
}

/**
 * Resolves as `resolveSecrets` does, and puts on record that the same may be given again.
 *
 * @returns The selection, and the lease, `null` where there is none.
 * @throws {Problem} as `resolveSecrets`.
 */
export async function resolveLeased<Form>(
  needs: LeasedResolveNeeds,
  caller: Caller,
  request: ResolveRequest,
  ask: LeaseAsk<LeasedAnswer<Form>>,
): Promise<{ readonly selection: RecordedSelection; readonly lease: OpenLease<Form> | null }> {
  caller.require("secrets:resolve", request.scopes, request.names);
  const query = resolutionQuery(needs, caller, "secrets:resolve", request);
  const { selection: recorded, lease } = await recordLeased(needs, caller, query, { action: "secret.resolve" }, ask);
  const selection = listSkipped(recorded, request, needs.reservedNames);
  if (lease === null) return { selection, lease: null };
  const keep = async (form: Form, released: readonly Released[]) => {
    const until = endOfLease(lease.until, released);
    const values = await keptValues(needs.keyring, selection, released);
    if (!values) return lease.end();
    const answer = { values, findings: findingsOf(selection), form, caller, query, state: lease.state };
    lease.keep(answer, sizeOfValues(values) + sizeOfRest(answer), until);
  };
  return { selection, lease: { id: lease.id, until: lease.until, keep } };
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
  if (isOfStore(answer.values.map(({ secret }) => secret))) return undefined;
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

function findingsOf({ missing, expired, skipped, unavailable, searched, empty, object }: Findings): Findings {
  return { missing, expired, skipped, unavailable, searched, empty, object };
}

/** What else of an answer grows with what was asked, in bytes. */
function sizeOfRest({ caller, query, findings, state }: LeasedAnswer<unknown>): number {
  const texts = JSON.stringify([query, findings, caller.secretScopes, caller.secretNames, caller.lineage, caller.userAgent]);
  return 2 * (texts.length + state.length);
}
