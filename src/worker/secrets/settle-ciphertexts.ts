import { putCiphertext, readCiphertexts, removeCiphertext } from "../store/ciphertexts.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import {
  clearInline,
  forgetRemovals,
  type InlineVersion,
  markInKv,
  markNotInKv,
  postponeRemovals,
  quarantineUnput,
  selectNotInKv,
  selectRemovals,
  selectSettled,
} from "../store/version-rows.ts";

/** What one run did. */
export interface Settled {
  /** Ciphertexts put into KV because the write's own put is not on record. */
  put: number;
  /** Inline copies cleared. */
  cleared: number;
  /** Ciphertexts removed from KV. */
  removed: number;
}

/** A write's own put has this long to be recorded before the scheduled run puts again, in milliseconds. */
const PUT_AFTER = 60_000;
/** KV needs up to a minute to be the same everywhere; an inline copy stays for longer than that, in milliseconds. */
const CLEAR_AFTER = 5 * 60_000;
/** Longer than any request or scheduled run lasts that could still put what is noted for removal, in milliseconds. */
const REMOVE_AFTER = 20 * 60_000;
/** How many ciphertexts one run handles of each sort. */
const BATCH = 100;
/** Removing takes a key and no ciphertext, so a run can handle more. */
const REMOVALS = 500;

/** A ciphertext that could not be put stays in quarantine for this long, in milliseconds, so that it keeps no other waiting. */
const RETRY_AFTER = 5 * 60_000;

type Needs = { readonly db: D1Database; readonly kv: KVNamespace; readonly now: Date };

/**
 * Brings D1 and KV to agreement: puts what is missing in KV, clears inline copies whose KV copy is everywhere and reads
 * back equal, removes what is noted for removal. Each step handles a bounded number, can be repeated, and may run twice
 * at once; one that fails keeps none of the others from running.
 *
 * @throws {AggregateError} when a step failed.
 */
export async function settleCiphertexts(needs: Needs): Promise<Settled> {
  const settled: Settled = { put: 0, cleared: 0, removed: 0 };
  const failures: unknown[] = [];
  for (const [name, step] of [
    ["put", putMissing],
    ["cleared", clearSettled],
    ["removed", removeNoted],
  ] as const) {
    try {
      settled[name] = await step(needs);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, "D1 and KV could not be brought to agreement");
  return settled;
}

async function putMissing({ db, kv, now }: Needs): Promise<number> {
  const at = now.getTime();
  const [found] = await runBatch(db, [selectNotInKv(db, at - PUT_AFTER, at, BATCH)]);
  const { done, failed } = await attempt(rowsOf<InlineVersion>(found), ({ kv_key, ciphertext }) => putCiphertext(kv, kv_key, ciphertext));
  if (done.length + failed.length > 0) await runBatch(db, [markInKv(db, keysOf(done), at), quarantineUnput(db, keysOf(failed), at + RETRY_AFTER)]);
  return done.length;
}

async function clearSettled({ db, kv, now }: Needs): Promise<number> {
  const [found] = await runBatch(db, [selectSettled(db, now.getTime() - CLEAR_AFTER, BATCH)]);
  const rows = rowsOf<InlineVersion>(found);
  if (rows.length === 0) return 0;
  const keys = keysOf(rows);
  const inKv = await readCiphertexts(kv, keys);
  const equal = new Set(rows.filter(({ kv_key, ciphertext }) => inKv.get(kv_key) === ciphertext).map(({ kv_key }) => kv_key));
  const missing = keys.filter((key) => !equal.has(key));
  await runBatch(db, [clearInline(db, [...equal]), markNotInKv(db, missing)]);
  return equal.size;
}

async function removeNoted({ db, kv, now }: Needs): Promise<number> {
  const [found] = await runBatch(db, [selectRemovals(db, now.getTime() - REMOVE_AFTER, REMOVALS)]);
  const keys = rowsOf<{ kv_key: string }>(found).map(({ kv_key }) => kv_key);
  const { done, failed } = await attempt(keys, (key) => removeCiphertext(kv, key));
  if (keys.length > 0) await runBatch(db, [forgetRemovals(db, done), postponeRemovals(db, failed, now.getTime())]);
  return done.length;
}

function keysOf(versions: readonly InlineVersion[]): string[] {
  return versions.map(({ kv_key }) => kv_key);
}

async function attempt<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<{ done: T[]; failed: T[] }> {
  const results = await Promise.allSettled(items.map(work));
  const of = (status: "fulfilled" | "rejected") => items.filter((_, n) => results[n]?.status === status);
  return { done: of("fulfilled"), failed: of("rejected") };
}
