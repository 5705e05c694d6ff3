import type { DatabaseSize } from "../store/database-sizes.ts";

const DAY = 86_400_000;
/** How many bytes a D1 database takes. */
const DATABASE_BYTES = 10_000_000_000;

/**
 * In how many days a database is full that goes on growing as it did since `before`; `null` where that is not known, or it
 * has not grown.
 */
export function daysLeft(now: DatabaseSize, before: DatabaseSize | undefined): number | null {
  if (!before || before.at >= now.at || before.bytes >= now.bytes) return null;
  const perDay = ((now.bytes - before.bytes) / (now.at - before.at)) * DAY;
  return Math.max(0, Math.floor((DATABASE_BYTES - now.bytes) / perDay));
}
