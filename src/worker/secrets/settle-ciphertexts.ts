import { putCiphertext, readCiphertexts, removeCiphertext } from "../store/ciphertexts.ts";
import { mayBeMore } from "../store/fair-select.ts";
import {
  clearInline,
  forgetRemovals,
  type InlineVersion,
  markInKv,
  markNotInKv,
  type NotedRemoval,
  postponeRemovals,
  quarantineUnput,
  selectNotInKv,
  selectRemovals,
  selectSettled,
  type Turn,
} from "../store/inline-ciphertexts.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { type BatchNeeds, type Budget, partOf, workInBatches } from "../transaction/work-in-batches.ts";

/** What one run did. */
export interface Settled {
  /** Ciphertexts put into KV because the write's own put is not on record. */
  put: number;
  /** Inline copies cleared. */
  cleared: number;
  /** Ciphertexts removed from KV. */
  removed: number;
}

/** How many ciphertexts one batch puts or clears, and how many it removes: that takes a key and no ciphertext. */
const BATCH = 100;
const REMOVALS = 500;

/** How many ciphertexts are put or removed at once: the platform lets an invocation wait for six answers, and a local KV does all that it is asked for before it reads for anybody, who has a turn after so many. */
const AT_ONCE = 6;
const MINUTE = 60_000;
/** A ciphertext that could not be put stays in quarantine for this long, in milliseconds, so that it keeps no other waiting. */
const RETRY_AFTER = 5 * MINUTE;

interface Needs extends BatchNeeds {
  readonly kv: KVNamespace;
}

/** What a batch did, and whether there is more for another one. */
interface Done {
  readonly done: number;
  readonly more: boolean;
}

/**
 * Brings D1 and KV to agreement: puts what is missing in KV, clears inline copies whose KV copy is everywhere and reads
 * back equal, removes what is noted for removal. Each step takes from all organizations in turn, can be repeated, and may
 * run twice at once; one that fails keeps none of the others from running.
 *
 * @throws {AggregateError} when a step failed.
 */
export async function settleCiphertexts(needs: Needs): Promise<Settled> {
  const settled: Settled = { put: 0, cleared: 0, removed: 0 };
  const failures: unknown[] = [];
  const steps = [
    ["put", putMissing],
    ["cleared", clearSettled],
    ["removed", removeNoted],
  ] as const;
  for (const [n, [name, step]] of steps.entries()) {
    // What a step leaves of its share is for the next ones.
    const budget = partOf(needs.budget, 1 / (steps.length - n));
    let turn = Math.floor(needs.now.getTime() / MINUTE);
    const batch = async () => {
      const { done, more } = await step(needs, { now: needs.now.getTime(), turn: turn++ });
      settled[name] += done;
      return more;
    };
    await workInBatches(budget, batch).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw new AggregateError(failures, "D1 and KV could not be brought to agreement");
  return settled;
}

async function putMissing({ db, kv, now, budget }: Needs, turn: Turn): Promise<Done> {
  const at = now.getTime();
  const [found] = await runBatch(db, [selectNotInKv(db, turn, BATCH)]);
  const rows = rowsOf<InlineVersion>(found);
  const { done, failed } = await attempt(budget, rows, ({ kv_key, ciphertext }) => putCiphertext(kv, kv_key, ciphertext));
  if (rows.length > 0) await runBatch(db, [markInKv(db, keysOf(done), at), quarantineUnput(db, keysOf(failed), at + RETRY_AFTER)]);
  return { done: done.length, more: goesOn(rows, failed) };
}

async function clearSettled({ db, kv }: Needs, turn: Turn): Promise<Done> {
  const [found] = await runBatch(db, [selectSettled(db, turn, BATCH)]);
  const rows = rowsOf<InlineVersion>(found);
  if (rows.length === 0) return { done: 0, more: false };
  const keys = keysOf(rows);
  const inKv = await readCiphertexts(kv, keys);
  const equal = new Set(rows.filter(({ kv_key, ciphertext }) => inKv.get(kv_key) === ciphertext).map(({ kv_key }) => kv_key));
  const missing = keys.filter((key) => !equal.has(key));
  await runBatch(db, [clearInline(db, [...equal]), markNotInKv(db, missing)]);
  return { done: equal.size, more: mayBeMore(rows) };
}

async function removeNoted({ db, kv, now, budget }: Needs, turn: Turn): Promise<Done> {
  const [found] = await runBatch(db, [selectRemovals(db, turn, REMOVALS)]);
  const rows = rowsOf<NotedRemoval>(found);
  const { done, failed } = await attempt(budget, keysOf(rows), (key) => removeCiphertext(kv, key));
  if (rows.length > 0) await runBatch(db, [forgetRemovals(db, done), postponeRemovals(db, failed, now.getTime())]);
  return { done: done.length, more: goesOn(rows, failed) };
}

/** What fails on one fails on many: KV does not answer, or a run has asked it as often as it may. The next run tries again. */
function goesOn(rows: readonly NotedRemoval[], failed: readonly unknown[]): boolean {
  return failed.length === 0 && mayBeMore(rows);
}

function keysOf(rows: readonly NotedRemoval[]): string[] {
  return rows.map(({ kv_key }) => kv_key);
}

/**
 * Does something to each item, {@link AT_ONCE} at a time. When KV takes too long for one, none of the others is begun: they are
 * as they were, and neither done nor failed.
 */
async function attempt<T>(budget: Budget | undefined, items: readonly T[], work: (item: T) => Promise<void>): Promise<{ done: T[]; failed: T[] }> {
  const result = { done: [] as T[], failed: [] as T[] };
  const left = items.values();
  let late = false;
  let begun = 0;
  let turn: Promise<void> | undefined;
  const lane = async () => {
    for (let next = left.next(); !late && !next.done; next = left.next()) {
      const item = next.value;
      if (begun++ % AT_ONCE === 0) turn = budget?.work.turn();
      await turn;
      await work(item).then(
        () => result.done.push(item),
        (error: unknown) => {
          result.failed.push(item);
          late ||= isLate(error);
        },
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return result;
}

function isLate(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}
