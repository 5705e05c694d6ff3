import { listObjects, type ObjectName, removeObject } from "../store/registry-objects.ts";
import type { Registry } from "./registry.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** For how long there is one of each hour, in milliseconds. */
const HOURLY = 30 * DAY;
/** How many objects one run removes. */
const REMOVED = 200;
/** How many thousands of objects are looked at. */
const THOUSANDS = 10;

interface Needs {
  readonly kv: KVNamespace;
  readonly retentionDays: number;
  readonly now: Date;
  readonly registry: Registry | undefined;
}

/**
 * Removes registry objects that are not needed any more: what changed goes after an hour, and of those with all logs one
 * of each hour is kept for 30 days and one of each day for as long as events are. The newest whole one stays, and all
 * after it. It looks once an hour. Returns how many were removed.
 */
export async function thinRegistry({ kv, retentionDays, now, registry }: Needs): Promise<number> {
  const fullAt = registry?.fullAt ?? null;
  // A new one is put in the run that finds the last one too old.
  if (fullAt === null || now.getTime() - fullAt < HOUR) return 0;
  const { names, foreign } = await listObjects(kv, THOUSANDS);
  const removed = [...foreign, ...unneeded(names, fullAt, retentionDays * DAY, now.getTime())].slice(0, REMOVED);
  for (const name of removed) await removeObject(kv, name);
  return removed.length;
}

/** @param names The newest first. */
function unneeded(names: readonly ObjectName[], fullAt: number, kept: number, now: number): string[] {
  const seen = new Map<string, number>();
  return names.flatMap(({ name, at, full }) => {
    if (at >= fullAt || now - at < HOUR) return [];
    if (!full || now - at > kept) return [name];
    const period = now - at < HOURLY ? `h${Math.floor(at / HOUR)}` : `d${Math.floor(at / DAY)}`;
    // The parts of one time stay together.
    const first = seen.get(period) ?? at;
    seen.set(period, first);
    return first === at ? [] : [name];
  });
}
