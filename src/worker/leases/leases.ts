import type { Allowance } from "../take-allowance.ts";
import type { Lease, Tally } from "./lease.ts";
import { type LeaseStore, leaseStore } from "./lease-store.ts";

/** What is known of an organization. Times are milliseconds since 1970. */
export interface KnownOrg {
  readonly epoch: string;
  /** When the query was sent that said so. */
  readonly sentAt: number;
  /** The number of the last revocation by which its answers have been looked through. */
  readonly seen: number;
  /** What tells that one from another with the same number, after a restore. */
  readonly seenSeal: string | null;
}

/** What is under way. */
interface Pending {
  readonly since: number;
  readonly done: Promise<unknown>;
}

/** What is under way for all. */
interface Reading {
  readonly sentAt: number;
  readonly done: Promise<void>;
}

/** What an isolate may give again, and what it knows of whether it still may. */
export interface Leases<Answer> {
  readonly store: LeaseStore<Lease<Answer>>;
  readonly orgs: Map<string, KnownOrg>;
  /** How often this isolate has written to an organization, as far as it remembers. */
  readonly writes: Map<string, number>;
  reading: Reading | null;
  /** Counts that are being written. */
  reporting: Reading | null;
  /** By the id of the lease: of those that are kept, and of those whose last count is still to be written. */
  readonly tallies: Map<string, Tally>;
  /** When counts will next be written, in order: timers that requests have left behind. */
  timers: number[];
  /** What is being resolved or compared just now, by key: others wait for it. */
  readonly pending: Map<string, Pending>;
  /** What each token may still take, and when that was reckoned. */
  readonly allowances: Map<string, Allowance>;
}

const rooms = new WeakMap<object, Leases<never>>();

/** The leases of this isolate under one configuration: when that is read anew, all of them are gone. */
export function leasesOf<Answer>(config: object): Leases<Answer> {
  const there = rooms.get(config) as Leases<Answer> | undefined;
  if (there) return there;
  const made: Leases<Answer> = {
    store: leaseStore((lease) => {
      if (lease.tally.state !== "closed") lease.tally.state = "ended";
    }),
    orgs: new Map(),
    writes: new Map(),
    reading: null,
    reporting: null,
    tallies: new Map(),
    timers: [],
    pending: new Map(),
    allowances: new Map(),
  };
  rooms.set(config, made as unknown as Leases<never>);
  return made;
}

/** Forgets all that an organization may be given again. */
export function endLeases(leases: Leases<unknown>, org: string): void {
  for (const lease of leases.store.of(org)) leases.store.remove(lease);
}

/** The epochs of organizations as one text; it has no second meaning, because an epoch has no space. */
export function epochsOf(leases: Leases<unknown>, orgs: readonly string[]): string {
  return orgs.map((org) => leases.orgs.get(org)?.epoch ?? "?").join(" ");
}
