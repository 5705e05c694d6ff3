import type { Keyring } from "../envelope/keyring.ts";
import { chunks } from "../store/chunks.ts";
import { type EncryptedRow, type LegacyRow, quarantineLegacy, replaceLegacy, selectLegacy } from "../store/legacy-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { type CurrentRow, secretRow } from "../store/secret-rows.ts";
import { allowSealing, type SealingKeyring } from "../transaction/allow-sealing.ts";
import type { Verified } from "../transaction/verify-row.ts";
import { type BatchNeeds, workInBatches } from "../transaction/work-in-batches.ts";
import { bytesOfPlaintext } from "./read-values.ts";
import { type NewlySealed, sealValue } from "./seal-value.ts";

const BATCH = 50;
/** A row that cannot be encrypted stays in quarantine for this long, in milliseconds. */
const RETRY_AFTER = 3_600_000;

interface Needs extends BatchNeeds {
  readonly keyring: Keyring;
}

/** Encrypts values that are still as another store had them, and puts in quarantine what cannot be. Returns how many. */
export async function encryptLegacy(needs: Needs): Promise<number> {
  let encrypted = 0;
  await workInBatches(needs.budget, async () => {
    const { tried, done } = await encryptSome(needs);
    encrypted += done;
    return tried === BATCH;
  });
  return encrypted;
}

async function encryptSome(needs: Needs): Promise<{ tried: number; done: number }> {
  const { db, now } = needs;
  const [found] = await runBatch(db, [selectLegacy(db, now.getTime(), BATCH)]);
  const rows = rowsOf<LegacyRow>(found);
  if (rows.length === 0) return { tried: 0, done: 0 };
  const { keyring } = await allowSealing(needs);
  const done = (await Promise.all(rows.map((row) => encryptRow(keyring, row)))).filter((row) => row !== undefined);
  const tried = rows.map(({ secret_id, version }) => ({ secret_id, version }));
  await runBatch(db, [...chunks(done).map((some) => replaceLegacy(db, some)), quarantineLegacy(db, tried, now.getTime() + RETRY_AFTER)]);
  return { tried: rows.length, done: done.length };
}

/** A legacy value's envelope, or `undefined` when it is no value. */
async function encrypt(keyring: SealingKeyring, row: LegacyRow): Promise<NewlySealed | undefined> {
  const bytes = bytesOfPlaintext(row.legacy_plaintext, row.encoding);
  return bytes && sealValue(keyring, { ...row, id: row.secret_id }, bytes);
}

/** What takes the place of a legacy value, or `undefined` when it is no value. */
export async function encryptRow(keyring: SealingKeyring, row: LegacyRow): Promise<EncryptedRow | undefined> {
  const sealed = await encrypt(keyring, row);
  return sealed && replacing(row, sealed);
}

function replacing({ secret_id, version, legacy_plaintext }: LegacyRow, sealed: NewlySealed): EncryptedRow {
  return { ...sealed, secret_id, version, was: legacy_plaintext };
}

/**
 * The current value of a secret that is about to be written, encrypted first if it is still as another store had it.
 * Where legacy values may not be read it stays what it is.
 */
export async function adoptLegacy(
  { db, keyring, legacyPlaintext }: { readonly db: D1Database; readonly keyring: SealingKeyring; readonly legacyPlaintext: boolean },
  current: Verified<CurrentRow>,
): Promise<Verified<CurrentRow>> {
  if (current.kind !== "plaintext" || current.seal !== null || !legacyPlaintext) return current;
  const row = { ...current, secret_id: current.id };
  const sealed = await encrypt(keyring, row);
  if (!sealed) return current;
  await runBatch(db, [replaceLegacy(db, [replacing(row, sealed)])]);
  return { ...secretRow(current), kind: "sealed", ...sealed } as Verified<CurrentRow>;
}
