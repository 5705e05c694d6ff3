import { insertCheckpoints, type LastCheckpoint, selectLastCheckpoints } from "../audit/checkpoints.ts";
import { type GenerationRow, selectLastGenerations } from "../audit/generations.ts";
import { type HeadRow, replaceHeads, selectHeads } from "../audit/heads.ts";
import { markFailed, markSeen } from "../audit/marks.ts";
import { type EventRow, type Share, selectUnsealed } from "../audit/read-events.ts";
import { GuardError, rowsOf, runBatch } from "../store/run-batch.ts";
import { LogError } from "./log-head.ts";
import type { LogJobNeeds } from "./log-job-needs.ts";
import { type NextCheckpoint, nextCheckpoint, type OpenLog } from "./next-checkpoint.ts";

/** What was sealed of a log, up to which event; or that nothing was, that it is not sealed any further, or what failed. */
export type SealEnd = { readonly events: number; readonly to: number } | "nothing" | "refused" | { readonly failure: unknown };

/**
 * Seals the next events of logs in one transaction, of each up to its share. Where that fails nothing of it has happened, and
 * each half of them is sealed by itself, so that one log that D1 does not take costs the others little. Those that there was
 * no room for are sealed together after that.
 *
 * @returns What came of each, in their order.
 * @throws {Problem} `storage-unavailable`.
 */
export async function sealTogether(needs: LogJobNeeds, logs: readonly Share[]): Promise<readonly SealEnd[]> {
  if (logs.length === 0) return [];
  const alone = logs.length === 1;
  const open = await readLogs(needs.db, logs);
  const next = await Promise.all(open.map((log) => nextOrFailure(needs, log)));
  await refuse(
    needs,
    open.filter((_, n) => next[n] === "refused"),
  );
  const written = await write(
    needs,
    next.filter((one) => typeof one === "object" && "checkpoint" in one),
    alone,
  );
  const ends: SealEnd[] = next.map((one) => (one === "refused" || (one && "failure" in one) ? one : one && written ? progressOf(one) : "nothing"));
  const again = async (places: readonly number[]) => {
    const done = await sealTogether(
      needs,
      places.flatMap((n) => logs[n] ?? []),
    );
    for (const [i, n] of places.entries()) ends[n] = done[i] ?? "nothing";
  };
  const placesOf = (wanted: (one: (typeof next)[number]) => boolean) => next.flatMap((one, n) => (wanted(one) ? [n] : []));
  const unwritten = written || alone ? [] : placesOf((one) => typeof one === "object" && "checkpoint" in one);
  for (const half of halvesOf(unwritten)) await again(half);
  // The first log that has events always has room: where none had any, there are none.
  const without = placesOf((one) => one === undefined);
  if (without.length < logs.length) await again(without);
  return ends;
}

function halvesOf<T>(list: readonly T[]): (readonly T[])[] {
  const middle = Math.ceil(list.length / 2);
  return [list.slice(0, middle), list.slice(middle)].filter(({ length }) => length > 0);
}

function progressOf({ checkpoint: { first_seq, last_seq } }: NextCheckpoint): SealEnd {
  return { events: last_seq - first_seq + 1, to: last_seq };
}

async function readLogs(db: D1Database, logs: readonly Share[]): Promise<OpenLog[]> {
  const orgs = logs.map(({ org }) => org);
  const [checkpoints, generations, heads, events] = await runBatch(db, [
    selectLastCheckpoints(db, orgs),
    selectLastGenerations(db, orgs),
    selectHeads(db, orgs),
    selectUnsealed(db, logs),
  ]);
  const byOrg = <Row extends { readonly org: string }>(result: D1Result | undefined) => Map.groupBy(rowsOf<Row>(result), ({ org }) => org);
  const found = {
    checkpoints: byOrg<LastCheckpoint>(checkpoints),
    generations: byOrg<GenerationRow>(generations),
    heads: byOrg<HeadRow>(heads),
    events: byOrg<EventRow>(events),
  };
  return orgs.map((org) => ({
    org,
    checkpoint: found.checkpoints.get(org)?.[0],
    generation: found.generations.get(org)?.[0],
    head: found.heads.get(org)?.[0],
    events: found.events.get(org) ?? [],
  }));
}

async function nextOrFailure(needs: LogJobNeeds, log: OpenLog): Promise<NextCheckpoint | "refused" | { readonly failure: unknown } | undefined> {
  try {
    return await nextCheckpoint(needs, log);
  } catch (error) {
    return error instanceof LogError ? "refused" : { failure: error };
  }
}

async function refuse({ db, now }: LogJobNeeds, logs: readonly OpenLog[]): Promise<void> {
  if (logs.length === 0) return;
  await runBatch(
    db,
    logs.map(({ org }) => markFailed(db, "seal", org, now.getTime())),
  );
}

/**
 * Writes checkpoints with the heads that name them. Returns whether it has: another run may have sealed the same stretch.
 *
 * @throws {Problem} `storage-unavailable`, of one log; of several it may be one that D1 does not take.
 */
async function write({ db, now }: LogJobNeeds, next: readonly NextCheckpoint[], alone: boolean): Promise<boolean> {
  if (next.length === 0) return true;
  const checkpoints = next.map(({ checkpoint }) => checkpoint);
  const seen = checkpoints.map(({ org, last_seq }) => ({ org, done: 0, to: last_seq }));
  const heads = next.map(({ head }) => head);
  try {
    await runBatch(db, [...replaceHeads(db, heads, now.getTime()), insertCheckpoints(db, checkpoints), markSeen(db, "seal", seen, now.getTime())]);
    return true;
  } catch (error) {
    if (error instanceof GuardError || !alone) return false;
    throw error;
  }
}
