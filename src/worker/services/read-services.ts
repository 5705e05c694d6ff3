import { Problem } from "../../contract/problem.ts";
import type { ServiceDefinition } from "../../contract/service.ts";
import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type ServiceRow, selectService, selectServices } from "../store/service-rows.ts";
import { type Page, pageOf } from "../transaction/page-of.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { type Verified, verifyRow, verifyRows } from "../transaction/verify-row.ts";
import { coversService } from "./covers-service.ts";

/** What reading services needs. */
export type ServiceNeeds = CallerNeeds & { readonly platformOrg: string | null };

/** A service, read. */
export interface FoundService {
  readonly row: Verified<ServiceRow>;
  readonly definition: ServiceDefinition;
  /** Whether it is the operator's, for an organization that is not. */
  readonly builtin: boolean;
}

/**
 * One service that an organization has: its own, or else the operator's.
 *
 * @throws {Problem} `service-not-found`, `unauthenticated`, `integrity-failed`, `storage-unavailable`.
 */
async function findService({ db, keyring, platformOrg }: ServiceNeeds, caller: Caller, name: string): Promise<FoundService> {
  const [found] = await readForCaller({ db, keyring }, caller, [selectService(db, caller.org, platformOrg, name)]);
  return serviceIn(keyring, caller, found);
}

/**
 * The service in what `selectService` brought.
 *
 * @throws {Problem} `service-not-found`, `integrity-failed`.
 */
export async function serviceIn(keyring: ServiceNeeds["keyring"], caller: Caller, found: D1Result<never> | undefined): Promise<FoundService> {
  const [stored] = rowsOf<ServiceRow>(found);
  if (!stored) throw new Problem("service-not-found", "There is no service of this name.");
  return foundOf(caller, await verifyRow(keyring, "services", stored));
}

/**
 * Shows one service to whoever may use it, or write it.
 *
 * @throws {Problem} `forbidden`, `service-not-found`, `integrity-failed`, `storage-unavailable`.
 */
export async function getService(needs: ServiceNeeds, caller: Caller, name: string): Promise<FoundService> {
  requireReader(caller);
  if (!coversService(caller, name)) throw caller.refuse("secrets:use", "The token's grant does not cover this service.");
  return findService(needs, caller, name);
}

/**
 * Lists the services that the caller's grant covers, by name.
 *
 * @throws {Problem} `forbidden`, `integrity-failed`, `storage-unavailable`.
 */
export async function listServices({ db, keyring, platformOrg }: ServiceNeeds, caller: Caller, limit: number, after = ""): Promise<Page<FoundService, string>> {
  requireReader(caller);
  const seen: FoundService[] = [];
  // A page is full although some are not the caller's to see: that there are such is in no cursor.
  for (let last: string | undefined = after; last !== undefined && seen.length <= limit; ) {
    const [found] = await readForCaller({ db, keyring }, caller, [selectServices(db, caller.org, platformOrg, last, limit + 1)]);
    const rows = rowsOf<ServiceRow>(found);
    const covered = rows.filter(({ name }) => coversService(caller, name));
    seen.push(...(await verifyRows(keyring, "services", covered)).map((row) => foundOf(caller, row)));
    last = rows.length > limit ? rows.at(-1)?.name : undefined;
  }
  return pageOf(seen, limit, ({ row }) => row.name);
}

function requireReader(caller: Caller): void {
  if (!caller.permissions.has("services:write")) caller.require("secrets:use");
}

/** A service of a row. */
export function foundOf(caller: Caller, row: Verified<ServiceRow>): FoundService {
  return { row, definition: JSON.parse(row.definition) as ServiceDefinition, builtin: row.org !== caller.org };
}
