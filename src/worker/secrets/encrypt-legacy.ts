import type { Keyring } from "../envelope/keyring.ts";
import { seal } from "../envelope/seal.ts";
import { type LegacyRow, replaceLegacy, selectLegacy, setAsideLegacy } from "../store/legacy-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { type CurrentRow, secretRow } from "../store/secret-rows.ts";
import { newId } from "../transaction/new-id.ts";
import { chunks } from "./chunks.ts";
import { valueOfLegacy } from "./read-values.ts";

const BATCH = 50;
/** A row that cannot be encrypted is left alone for this long, in milliseconds. */
const RETRY_AFTER = 3_600_000;

type Needs = { readonly db: D1Database; readonly keyring: Keyring; readonly now: Date };

/** Encrypts a batch of values that are still as another store had them, and sets aside what cannot be. Returns how many. */
export async function encryptLegacy({ db, keyring, now }: Needs): Promise<number> {
  const [found] = await runBatch(db, [selectLegacy(db, now.getTime(), BATCH)]);
  const rows = rowsOf<LegacyRow>(found);
  const sealed = await Promise.all(rows.map((row) => encrypt(keyring, row)));
  const done = sealed.filter((one) => one !== undefined);
  const places = rows.map(({ secret_id, version }) => ({ secret_id, version }));
  if (rows.length > 0) await runBatch(db, [...chunks(done).map((some) => replaceLegacy(db, some)), setAsideLegacy(db, places, now.getTime() + RETRY_AFTER)]);
  return done.length;
}

async function encrypt(keyring: Keyring, row: LegacyRow) {
  const bytes = valueOfLegacy(row.legacy_plaintext, row.encoding);
  if (!bytes) return undefined;
  const { ciphertext, wrappedKey, keyId } = await seal(keyring, row, bytes);
  return { secret_id: row.secret_id, version: row.version, was: row.legacy_plaintext, key_id: keyId, wrapped_key: wrappedKey, ciphertext, kv_key: newId("c") };
}

/**
 * The current value of a secret that is about to be written, encrypted first if it is still as another store had it.
 * Where legacy values may not be read it stays what it is.
 */
export async function adoptLegacy(
  { db, keyring, legacyPlaintext }: Omit<Needs, "now"> & { readonly legacyPlaintext: boolean },
  current: CurrentRow,
): Promise<CurrentRow> {
  if (current.legacy_plaintext === null || !legacyPlaintext) return current;
  const encrypted = await encrypt(keyring, { ...current, secret_id: current.id });
  if (!encrypted) return current;
  await runBatch(db, [replaceLegacy(db, [encrypted])]);
  const { key_id, wrapped_key, ciphertext, kv_key } = encrypted;
  return { ...secretRow(current), key_id, wrapped_key, ciphertext, kv_key, legacy_plaintext: null };
}
