import type { Lease } from "./lease.ts";

/** What an isolate keeps at the most: this many answers, and this many bytes. */
const MAX_LEASES = 10_000;
const MAX_BYTES = 16 * 2 ** 20;
/** What one organization may have of both: one part of so many. So none can drive out all that others have. */
const ORG_PARTS = 8;
/** How many answers of one token are kept. */
const MAX_OF_HOLDER = 256;

type Kept = Pick<Lease<unknown>, "key" | "org" | "holder" | "size">;

/** The least recently used comes first. */
interface Shelf<L> {
  readonly leases: Map<string, L>;
  bytes: number;
}

/** Answers by key, as many as there is room for: whoever has too many loses the one that was not used for longest. */
export interface LeaseStore<L> {
  readonly count: number;
  readonly bytes: number;
  get(key: string): L | undefined;
  /** Takes note that it was used just now. */
  touch(lease: L): void;
  /** Adds an answer, in place of the one with the same key. */
  add(lease: L): void;
  remove(lease: L): void;
  /** The organizations of which there is anything. */
  orgs(): Iterable<string>;
  of(org: string): readonly L[];
  all(): readonly L[];
}

/** @param onGone Called with each that is there no more, for whatever reason. */
export function leaseStore<L extends Kept>(onGone: (lease: L) => void): LeaseStore<L> {
  const all: Shelf<L> = { leases: new Map(), bytes: 0 };
  const byOrg = new Map<string, Shelf<L>>();
  const byHolder = new Map<string, Shelf<L>>();
  const holderOf = ({ org, holder }: L) => `${org} ${holder}`;
  const shelvesOf = (lease: L) => [all, shelf(byOrg, lease.org), shelf(byHolder, holderOf(lease))] as const;

  const remove = (lease: L): void => {
    if (all.leases.get(lease.key) !== lease) return;
    for (const { leases } of shelvesOf(lease)) leases.delete(lease.key);
    for (const each of shelvesOf(lease)) each.bytes -= lease.size;
    if (shelf(byOrg, lease.org).leases.size === 0) byOrg.delete(lease.org);
    if (shelf(byHolder, holderOf(lease)).leases.size === 0) byHolder.delete(holderOf(lease));
    onGone(lease);
  };

  const shrink = ({ leases, ...room }: Shelf<L>, count: number, bytes: number): void => {
    let over = room.bytes - bytes;
    for (const lease of leases.values()) {
      if (leases.size <= count && over <= 0) return;
      over -= lease.size;
      remove(lease);
    }
  };

  return {
    get count() {
      return all.leases.size;
    },
    get bytes() {
      return all.bytes;
    },
    get: (key) => all.leases.get(key),
    touch(lease) {
      for (const { leases } of shelvesOf(lease)) if (leases.delete(lease.key)) leases.set(lease.key, lease);
    },
    add(lease) {
      const before = all.leases.get(lease.key);
      if (before) remove(before);
      // It would drive out all others of its organization, and then itself.
      if (lease.size > MAX_BYTES / ORG_PARTS) return onGone(lease);
      for (const each of shelvesOf(lease)) {
        each.leases.set(lease.key, lease);
        each.bytes += lease.size;
      }
      shrink(shelf(byHolder, holderOf(lease)), MAX_OF_HOLDER, MAX_BYTES);
      shrink(shelf(byOrg, lease.org), MAX_LEASES / ORG_PARTS, MAX_BYTES / ORG_PARTS);
      shrink(all, MAX_LEASES, MAX_BYTES);
    },
    remove,
    orgs: () => byOrg.keys(),
    of: (org) => [...(byOrg.get(org)?.leases.values() ?? [])],
    all: () => [...all.leases.values()],
  };
}

function shelf<L>(shelves: Map<string, Shelf<L>>, name: string): Shelf<L> {
  const there = shelves.get(name);
  if (there) return there;
  const made: Shelf<L> = { leases: new Map(), bytes: 0 };
  shelves.set(name, made);
  return made;
}
