import { putCiphertext, readCiphertexts, removeCiphertext } from "../store/ciphertexts.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { clearInline, forgetRemovals, type InlineVersion, markInKv, markNotInKv, selectNotInKv, selectRemovals, selectSettled } from "../store/version-rows.ts";

/** What one run did. */
export interface Settled {
  /** Ciphertexts put into KV because the write's own put is not on record. */
  readonly put: number;
  /** Inline copies cleared. */
  readonly cleared: number;
  /** Ciphertexts removed from KV. */
  readonly removed: number;
}

/** A write's own put has this long to be recorded before the scheduled run puts again, in milliseconds. */
const PUT_AFTER = 60_000;
/** KV needs up to a minute to be the same everywhere; an inline copy stays for longer than that, in milliseconds. */
const CLEAR_AFTER = 5 * 60_000;
/** Longer than any request or scheduled run lasts that could still put what is noted for removal, in milliseconds. */
const REMOVE_AFTER = 20 * 60_000;
/** How many ciphertexts one run handles of each sort. */
const BATCH = 100;

type Needs = { readonly db: D1Database; readonly kv: KVNamespace; readonly now: Date };

/**
 * Brings D1 and KV to agreement: puts what is missing in KV, clears inline copies whose KV copy is everywhere and reads
 * back equal, removes what is noted for removal. Each step can be repeated, and two runs at once do no harm.
 */
export async function settleCiphertexts(needs: Needs): Promise<Settled> {
  return { put: await putMissing(needs), cleared: await clearSettled(needs), removed: await removeNoted(needs) };
}

async function putMissing({ db, kv, now }: Needs): Promise<number> {
  const [found] = await runBatch(db, [selectNotInKv(db, now.getTime() - PUT_AFTER, BATCH)]);
  const rows = rowsOf<InlineVersion>(found);
  const done = await succeeded(rows.map(({ kv_key, ciphertext }) => putCiphertext(kv, kv_key, ciphertext).then(() => kv_key)));
  if (done.length > 0) await runBatch(db, [markInKv(db, done, now.getTime())]);
  return done.length;
}

async function clearSettled({ db, kv, now }: Needs): Promise<number> {
  const [found] = await runBatch(db, [selectSettled(db, now.getTime() - CLEAR_AFTER, BATCH)]);
  const rows = rowsOf<InlineVersion>(found);
  if (rows.length === 0) return 0;
  const inKv = await readCiphertexts(
    kv,
    rows.map(({ kv_key }) => kv_key),
  );
  const equal = rows.filter(({ kv_key, ciphertext }) => inKv.get(kv_key) === ciphertext).map(({ kv_key }) => kv_key);
  const missing = rows.filter(({ kv_key, ciphertext }) => inKv.get(kv_key) !== ciphertext).map(({ kv_key }) => kv_key);
  await runBatch(db, [clearInline(db, equal), markNotInKv(db, missing)]);
  return equal.length;
}

async function removeNoted({ db, kv, now }: Needs): Promise<number> {
  const [found] = await runBatch(db, [selectRemovals(db, now.getTime() - REMOVE_AFTER, BATCH)]);
  const keys = rowsOf<{ kv_key: string }>(found).map(({ kv_key }) => kv_key);
  const done = await succeeded(keys.map((key) => removeCiphertext(kv, key).then(() => key)));
  if (done.length > 0) await runBatch(db, [forgetRemovals(db, done)]);
  return done.length;
}

/** The results that came. What failed is still on record as not done, and the next run does it. */
async function succeeded<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  return results.filter((result) => result.status === "fulfilled").map(({ value }) => value);
}
