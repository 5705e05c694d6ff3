import type { Caller } from "../access/caller.ts";
import { type FreshnessNeeds, isKnownFresh } from "../leases/freshness.ts";
import { epochsOf, type Leases } from "../leases/leases.ts";
import { askEpochs, epochsIn, noteEpochs } from "../leases/note-epochs.ts";
import { decidingOrgs } from "../secrets/record-leased.ts";
import { type EpochRow, selectEpochs } from "../store/epoch-rows.ts";
import { rowsOf } from "../store/run-batch.ts";
import { selectService } from "../store/service-rows.ts";
import { readForCaller, standingOf } from "../transaction/run-for-caller.ts";
import { type FoundService, type ServiceNeeds, serviceIn } from "./read-services.ts";

/** What finding a service needs, to use it. */
export type AtHandNeeds = ServiceNeeds &
  FreshnessNeeds & {
    readonly leases: Leases<unknown>;
    readonly leaseSeconds: number;
    /** Holds up what D1 has to be asked about, where somebody asks too often. */
    readonly holdUp: () => Promise<void>;
  };

/** A service with the epochs of the organizations whose changes decide what it is, as `epochsOf` writes them. */
export interface ServiceAtHand extends FoundService {
  readonly epochs: string;
}

/** Of how many organizations an isolate remembers services, and how many of one. */
const MOST_ORGS = 10;
const MOST_OF_ORG = 100;
/** How long the definition of one is at the most, and how long all of one organization's are together, in characters. */
const LONGEST = 65_536;
const LONGEST_OF_ORG = 1_048_576;

type Remembered = Map<string, ServiceAtHand>;
const rooms = new WeakMap<object, Map<string, Remembered>>();

/**
 * The service of a name that an organization has, its own or else the operator's: from memory, where it is one whose uses are under
 * leases, and for as long as nothing has changed in the organizations that decide about it.
 *
 * @throws {Problem} `service-not-found`, `unauthenticated`, `integrity-failed`, `storage-unavailable`.
 */
export async function serviceAtHand(needs: AtHandNeeds, caller: Caller, name: string): Promise<ServiceAtHand> {
  const { leases } = needs;
  const known = serviceInMemory(needs, caller, name);
  if (known) return known;
  const orgs = decidingOrgs(caller.org, needs.platformOrg);
  await needs.holdUp();
  const asked = askEpochs(leases, orgs, needs.clock());
  const { db, keyring, platformOrg } = needs;
  const [found, epochs] = await readForCaller({ db, keyring }, caller, [selectService(db, caller.org, platformOrg, name), selectEpochs(db, asked.orgs)]);
  const epochRows = rowsOf<EpochRow>(epochs);
  noteEpochs(leases, epochRows, asked);
  const service = { ...(await serviceIn(keyring, caller, found)), epochs: epochsIn(epochRows, orgs) };
  remember(leases, caller.org, service, needs.leaseSeconds > 0 && service.definition.audit === "lease" && service.row.definition.length <= LONGEST);
  return service;
}

/** {@link serviceAtHand}, as far as nobody has to be asked. */
export function serviceInMemory(
  { leases, ...needs }: FreshnessNeeds & Pick<AtHandNeeds, "leases" | "platformOrg">,
  { org }: Caller,
  name: string,
): ServiceAtHand | undefined {
  const known = rooms.get(leases)?.get(org)?.get(name);
  if (!known) return undefined;
  const orgs = decidingOrgs(org, needs.platformOrg);
  return isKnownFresh(leases, needs, { orgs }) && known.epochs === epochsOf(leases, orgs) ? known : undefined;
}

function remember(leases: object, org: string, service: ServiceAtHand, isLeased: boolean): void {
  const room = rooms.get(leases) ?? new Map<string, Remembered>();
  rooms.set(leases, room);
  const own: Remembered = room.get(org) ?? new Map();
  own.delete(service.row.name);
  if (isLeased) own.set(service.row.name, service);
  forgetOldest(own);
  // The organization that was not asked for longest goes as a whole.
  room.delete(org);
  if (own.size > 0) room.set(org, own);
  const [oldest] = room.keys();
  if (room.size > MOST_ORGS && oldest !== undefined) room.delete(oldest);
}

function forgetOldest(own: Remembered): void {
  let length = own.values().reduce((sum, { row }) => sum + row.definition.length, 0);
  for (const [name, { row }] of own) {
    if (own.size <= MOST_OF_ORG && length <= LONGEST_OF_ORG) return;
    length -= row.definition.length;
    own.delete(name);
  }
}

/**
 * Decides about a use before anything is read for it. A token that is not in force is told nothing of a service, also where that was in
 * memory: so a refusal is kept back until that is known.
 *
 * @throws {Problem} what `decide` throws; `unauthenticated`, `rate-limited`, `integrity-failed`, `storage-unavailable`.
 */
export async function decideInForce<T>(needs: AtHandNeeds, caller: Caller, decide: () => T): Promise<T> {
  try {
    return decide();
  } catch (error) {
    await needs.holdUp();
    await standingOf(needs, caller);
    throw error;
  }
}
