import { type EpochRow, REVOCATIONS_AT_ONCE, type RevokedMark, type SeenOrg } from "../store/epoch-rows.ts";
import { markOf } from "./lease.ts";
import { endLeases, type KnownOrg, type Leases } from "./leases.ts";

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
    const known = leases.orgs.get(row.org);
    // What was sent before this isolate wrote does not know of that.
    const sentAt = asked.writes.get(row.org) === (leases.writes.get(row.org) ?? 0) ? asked.sentAt : Number.NEGATIVE_INFINITY;
    // What was overtaken says less than is known.
    if (known && known.sentAt > sentAt && row.last <= known.seen) continue;
    const since = asked.orgs.find(({ org }) => org === row.org)?.seen ?? NONE;
    if (!known) endLeases(leases, row.org);
    else endRevoked(leases, row, known, since);
    const newest = known && known.sentAt > sentAt ? known : { epoch: row.epoch ?? "", sentAt };
    leases.orgs.set(row.org, { epoch: newest.epoch, sentAt: newest.sentAt, seen: row.last, seenSeal: row.last_seal });
  }
}

/** @param since The revocation after which the query brought all. */
function endRevoked(leases: Leases<unknown>, { org, last, last_seal, revoked }: EpochRow, known: KnownOrg, since: number): void {
  if (last === known.seen && last_seal === known.seenSeal) return;
  const marks = JSON.parse(revoked) as RevokedMark[];
  // Too many to look through, or a database that was put back, or some that nobody has looked at.
  if (marks.length >= REVOCATIONS_AT_ONCE || last <= known.seen || since > known.seen) endLeases(leases, org);
  const ended = new Set(marks.map(([kind, value]) => markOf(kind, value)));
  const before = Math.max(...marks.map(([kind, value]) => (kind === "before" ? Number(value) : Number.NEGATIVE_INFINITY)));
  for (const lease of leases.store.of(org)) {
    const old = lease.issuedAt !== null && !(lease.issuedAt > before);
    if (old || [...lease.marks].some((mark) => ended.has(mark))) leases.store.remove(lease);
  }
}

/** Whether nothing that was revoked in an organization since a query can have been overlooked by what is kept only now. */
export function isStillLast({ orgs }: Leases<unknown>, rows: readonly EpochRow[], org: string): boolean {
  const [row, known] = [rows.find((each) => each.org === org), orgs.get(org)];
  return row !== undefined && known !== undefined && row.last === known.seen && row.last_seal === known.seenSeal;
}

/** The epochs of organizations that one query brought, written as `epochsOf` does. */
export function epochsIn(rows: readonly EpochRow[], orgs: readonly string[]): string {
  const found = new Map(rows.map(({ org, epoch }) => [org, epoch ?? ""]));
  return orgs.map((org) => found.get(org) ?? "?").join(" ");
}
