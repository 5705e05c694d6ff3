import { type EpochRow, REVOCATIONS_AT_ONCE, type RevokedMark, type SeenOrg } from "../store/epoch-rows.ts";
import { markOf } from "./lease.ts";
import { endLeases, type Leases } from "./leases.ts";

/** A number that no revocation has: whoever keeps nothing of an organization need not look at what was revoked there. */
const NONE = Number.MAX_SAFE_INTEGER;

/** A query for epochs that is sent now. */
export interface AskedEpochs {
  readonly orgs: readonly SeenOrg[];
  /** When it is sent, in milliseconds since 1970: for so much its answer can vouch. */
  readonly sentAt: number;
  /** How often this isolate had written to each organization by then. */
  readonly writes: ReadonlyMap<string, number>;
}

/** What a query for the epochs of organizations asks: with the last revocation by which their answers have been looked through. */
export function askEpochs({ orgs, writes }: Leases<unknown>, names: readonly string[], sentAt: number): AskedEpochs {
  return {
    orgs: names.map((org) => ({ org, seen: orgs.get(org)?.seen ?? NONE })),
    sentAt,
    writes: new Map(names.map((org) => [org, writes.get(org) ?? 0])),
  };
}

/**
 * Takes note of what a query for epochs brought: the answers of tokens that have been revoked go, as do all of an
 * organization whose revocations are fewer than they were, or more than can be looked through.
 *
 * The rows carry no seals: a revocation that somebody has made up ends a lease, and nothing else. Whether the token is in
 * force is asked, with seals, by the resolve that follows.
 */
export function noteEpochs(leases: Leases<unknown>, rows: readonly EpochRow[], asked: AskedEpochs): void {
  for (const row of rows) {
    const { org, last } = row;
    const known = leases.orgs.get(org);
    endRevoked(leases, row, known?.seen ?? 0);
    // What was sent before this isolate wrote does not know of that, and what was overtaken vouches for less than is known.
    const sentAt = asked.writes.get(org) === (leases.writes.get(org) ?? 0) ? asked.sentAt : Number.NEGATIVE_INFINITY;
    const newest = known && known.sentAt > sentAt ? known : { epoch: row.epoch ?? "", sentAt };
    leases.orgs.set(org, { epoch: newest.epoch, sentAt: newest.sentAt, seen: last });
  }
}

function endRevoked(leases: Leases<unknown>, { org, last, revoked }: EpochRow, seen: number): void {
  const marks = JSON.parse(revoked) as RevokedMark[];
  if (marks.length >= REVOCATIONS_AT_ONCE || last < seen) endLeases(leases, org);
  if (marks.length === 0) return;
  const ended = new Set(marks.map(([kind, value]) => markOf(kind, value)));
  const before = Math.max(...marks.map(([kind, value]) => (kind === "before" ? Number(value) : Number.NEGATIVE_INFINITY)));
  for (const lease of leases.store.of(org)) {
    const old = lease.issuedAt !== null && !(lease.issuedAt > before);
    if (old || [...lease.marks].some((mark) => ended.has(mark))) leases.store.remove(lease);
  }
}

/** The epochs of organizations that one query brought, written as `epochsOf` does. */
export function epochsIn(rows: readonly EpochRow[], orgs: readonly string[]): string {
  const found = new Map(rows.map(({ org, epoch }) => [org, epoch ?? ""]));
  return orgs.map((org) => found.get(org) ?? "?").join(" ");
}
