import { OpenError } from "../envelope/open.ts";
import { rewrap } from "../envelope/rewrap.ts";
import { type RewrappedArchive, replaceWrappedArchives, type WrappedArchive } from "../store/archive-keys.ts";
import { runBatch } from "../store/run-batch.ts";
import type { SealingKeyring } from "../transaction/allow-sealing.ts";

/**
 * Wraps data keys of archived parts of audit logs under the current key. Returns how many.
 *
 * @param retryAt Until when one that does not unwrap is in quarantine, in milliseconds since 1970.
 */
export async function rewrapArchives(
  { db, keyring }: { readonly db: D1Database; readonly keyring: SealingKeyring },
  archives: readonly WrappedArchive[],
  retryAt: number,
): Promise<number> {
  const rows = await Promise.all(archives.map((row) => rewrapArchive(keyring, row, retryAt)));
  if (rows.length > 0) await runBatch(db, [replaceWrappedArchives(db, rows)]);
  return rows.filter(({ retry_at }) => retry_at === null).length;
}

async function rewrapArchive(keyring: SealingKeyring, row: WrappedArchive, retryAt: number): Promise<RewrappedArchive> {
  const { key_id, wrapped_key: was } = row;
  try {
    const { wrappedKey, keyId } = await rewrap(keyring, { wrappedKey: was, keyId: key_id });
    return { ...row, was, key_id: keyId, wrapped_key: wrappedKey, retry_at: null };
  } catch (error) {
    if (error instanceof OpenError) return { ...row, was, retry_at: retryAt };
    throw error;
  }
}
