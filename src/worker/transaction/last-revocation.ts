import { storageUnavailable } from "../../contract/problem.ts";

/** How many organizations are remembered. */
const REMEMBERED = 10_000;

/** The number of the last revocation that this isolate has seen, by organization, the longest unused first. */
const seen = new Map<string, number>();

/**
 * Takes note of an organization's last revocation. They are only ever added, so a smaller number than one that was seen
 * before is a database that was put back, or one that somebody has taken revocations from.
 *
 * @throws {Problem} `storage-unavailable` when revocations that have been seen here are not there.
 */
export function requireLatest(org: string, last: number): void {
  const before = seen.get(org) ?? 0;
  if (last < before) throw storageUnavailable("Revocations that have been seen here are not in the metadata store.");
  seen.delete(org);
  if (last > 0) seen.set(org, last);
  const [oldest] = seen.keys();
  if (seen.size > REMEMBERED && oldest !== undefined) seen.delete(oldest);
}
