import { secretsOf } from "../../contract/service.ts";
import type { Caller } from "../access/caller.ts";
import { networkOf } from "../access/network-of.ts";
import type { KeptSealed } from "../envelope/memory-cipher.ts";
import type { CallsOfLease } from "../leases/calls-of-lease.ts";
import type { Lease } from "../leases/lease.ts";
import type { Leases } from "../leases/leases.ts";
import { askEpochs, epochsIn, noteEpochs } from "../leases/note-epochs.ts";
import { answerLeased } from "../secrets/answer-leased.ts";
import { endOfLease, isOfStore } from "../secrets/kept-values.ts";
import { type LeasedRecordNeeds, recordLeased } from "../secrets/record-leased.ts";
import { recordSelection } from "../secrets/record-selection.ts";
import { judgeRecorded, type Release, type ReleaseNeeds, releaseSecrets } from "../secrets/release-secrets.ts";
import { oneScopeQuery } from "../secrets/resolution-query.ts";
import { type EpochRow, selectEpochs } from "../store/epoch-rows.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type ServiceRow, selectService } from "../store/service-rows.ts";
import { verifyRow } from "../transaction/verify-row.ts";
import { chooseScope, requireHosts, type SearchedScope, scopesToSearch } from "./choose-scope.ts";
import { type Credentials, fillCredentials } from "./fill-credentials.ts";
import { keepCredentials, openCredentials } from "./kept-credentials.ts";
import { type AtHandNeeds, decideInForce, type ServiceAtHand } from "./service-at-hand.ts";

/** What a use was allowed by, that may be repeated under its lease, and its credentials, encrypted for the isolate. */
export interface KeptUse {
  readonly caller: Caller;
  readonly credentials: KeptSealed;
  /** Whether a value in them came from a store. */
  readonly isOfStore: boolean;
  readonly service: ServiceAtHand;
  readonly said: string | null;
  readonly host: string;
  readonly scope: SearchedScope;
  /** What decided what was found there, see `stateOf`. */
  readonly state: string;
}

/** What using a service under a lease needs. */
export type LeasedUseNeeds = LeasedRecordNeeds & ReleaseNeeds & AtHandNeeds & { readonly leases: Leases<KeptUse> };

/** A use that a rule of its service allows. */
export interface JudgedUse {
  readonly service: ServiceAtHand;
  /** The place of the rule. */
  readonly rule: number;
  readonly origin: string;
  /** The scope in the header `Keyhole-Scope`, or `null`. */
  readonly said: string | null;
  /** The zone of the Worker that asks, or `null`. */
  readonly zone: string | null;
  /** What its event says that it is for. */
  readonly target: string;
}

/** The credentials of a use, and where what comes of it is counted: `null` where it is on record by itself. */
export interface CredentialsOfUse {
  readonly credentials: Credentials;
  readonly calls: CallsOfLease | null;
}

/** What is counted under a lease takes of the memory, in bytes. */
const SIZE_OF_CALLS = 4_096;
/** How often the text of a service takes its length: as it is, and taken apart. */
const TIMES = 4;

/**
 * The credentials of a use, under a lease: the first use of a caller by a rule is on record before they are read, and for as long as its
 * lease lasts others like it are counted, and ask neither D1 nor KV.
 *
 * @throws {Problem} what {@link recordedCredentials} throws.
 */
export async function leasedCredentials(needs: LeasedUseNeeds, caller: Caller, use: JudgedUse): Promise<CredentialsOfUse> {
  const { leases } = needs;
  const ask = { leases, key: await keyOf(caller, use), seconds: needs.leaseSeconds };
  return answerLeased<KeptUse, CredentialsOfUse>(needs, {
    ...ask,
    maxAge: needs.leaseSeconds,
    again: (lease) => openAgain(needs, lease),
    compare: (lease) => compareUse(needs, lease),
    lead: () => recordedCredentials(needs, caller, use, ask),
  });
}

/**
 * The credentials of a use that is on record by itself, and opens a lease where one is asked for. Its secrets come from one scope, which
 * is chosen first; where something has changed since, there is no lease.
 *
 * @throws {Problem} what `chooseScope` and `recordSelection` refuse.
 * @throws {UnreleasedError} when it is on record and nothing leaves.
 */
export async function recordedCredentials(
  needs: LeasedUseNeeds,
  caller: Caller,
  { service, origin, said, target }: JudgedUse,
  ask: { readonly leases: Leases<KeptUse>; readonly key: string; readonly seconds: number } | null,
): Promise<CredentialsOfUse> {
  await needs.holdUp();
  const { definition } = service;
  const { hostname: host } = new URL(origin);
  const scopes = await decideInForce(needs, caller, () => scopesToSearch(caller, definition, said));
  const { scope, state } = await chooseScope(needs, caller, definition, scopes, host);
  const query = oneScopeQuery(needs, caller, scope, secretsOf(definition), true);
  const event = { action: "secret.use", target } as const;
  const { selection, lease } = ask
    ? await recordLeased(needs, caller, query, event, ask)
    : { selection: await recordSelection(needs, caller, query, event), lease: null };
  try {
    judgeRecorded(selection, (secrets) => requireHosts(secrets, definition, host));
    const make = ({ secrets }: Release) => ({ credentials: fillCredentials(definition.inject, secrets), secrets });
    const { credentials, secrets } = await releaseSecrets(needs, selection, make);
    if (lease?.epochs === service.epochs) {
      const sealed = await keepCredentials(needs.keyring, lease.id, credentials);
      const kept = { caller, credentials: sealed, isOfStore: isOfStore(secrets), service, said, host, scope, state };
      lease.keep(kept, sizeOfUse(kept), endOfLease(lease.until, secrets));
    } else lease?.end();
    return { credentials, calls: lease?.tally.calls ?? null };
  } catch (error) {
    lease?.end();
    throw error;
  }
}

/** What a use takes of the memory, in bytes. Others may have the same service; where it is read anew for each they do not. */
function sizeOfUse({ credentials, service, caller, state }: KeptUse): number {
  const { secretScopes, secretNames, services, lineage, userAgent } = caller;
  const texts = JSON.stringify([secretScopes, secretNames, services, lineage, userAgent]);
  return credentials.sealed.byteLength + SIZE_OF_CALLS + TIMES * service.row.definition.length + 2 * (texts.length + state.length);
}

async function openAgain({ keyring }: LeasedUseNeeds, { answer: { credentials }, tally }: Lease<KeptUse>): Promise<CredentialsOfUse> {
  return { credentials: await openCredentials(keyring, tally.id, credentials), calls: tally.calls };
}

/** Whether a use would be allowed with the same values of the same scope by the same service. */
async function compareUse(needs: LeasedUseNeeds, { answer, orgs }: Lease<KeptUse>): Promise<string | undefined> {
  if (answer.isOfStore) return undefined;
  const { db, keyring, platformOrg, leases } = needs;
  const { caller, service, said, host, scope, state } = answer;
  const asked = askEpochs(leases, orgs, needs.clock());
  const reads = [selectService(db, caller.org, platformOrg, service.row.name), selectEpochs(db, asked.orgs)];
  const scopes = scopesToSearch(caller, service.definition, said);
  const found = await chooseScope({ ...needs, now: new Date(needs.clock()) }, caller, service.definition, scopes, host, reads);
  const [services, epochs] = found.others;
  const epochRows = rowsOf<EpochRow>(epochs);
  noteEpochs(leases, epochRows, asked);
  const [stored] = rowsOf<ServiceRow>(services);
  const isSame = stored && isSameRow(await verifyRow(keyring, "services", stored), service.row) && found.scope === scope && found.state === state;
  return isSame ? epochsIn(epochRows, orgs) : undefined;
}

function isSameRow(one: ServiceRow, other: ServiceRow): boolean {
  return one.org === other.org && one.revision === other.revision && one.created_at === other.created_at && one.definition === other.definition;
}

/** What a lease of uses is found by: all that decides whether one is allowed and with what, and where the caller is. SHA-256 in base64. */
async function keyOf({ requestId: _, require, refuse, ip, permissions, ...facts }: Caller, { service, rule, origin, said, zone }: JudgedUse): Promise<string> {
  const { org, name, revision, created_at } = service.row;
  const what = ["keyhole/use/1", facts, [...permissions].sort(), networkOf(ip), org, name, revision, created_at, rule, origin, said, zone];
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(what)))).toBase64();
}
