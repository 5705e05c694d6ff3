import type { Keyring } from "../envelope/keyring.ts";
import { KeyMissingError, OpenError, open } from "../envelope/open.ts";
import { readCiphertexts } from "../store/ciphertexts.ts";
import { forgetLost, type LostValue, markStored, noteLost, type StoredVersion, selectLost, selectNextStored } from "../store/lost-values.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { insertOwnEvent } from "../transaction/insert-own-event.ts";
import type { BatchNeeds } from "../transaction/work-in-batches.ts";

/** How many values one run looks at, and how many of those that are known to be lost. */
const VALUES = 200;
const LOST = 50;
/** How many values that were just found lost one run has on record. The others are found in the next turn. */
const REPORTED = 50;

interface Needs extends BatchNeeds {
  readonly kv: KVNamespace;
  readonly keyring: Keyring;
}

/** What a run found. */
export interface Scrubbed {
  readonly checked: number;
  readonly lost: number;
}

/**
 * Looks at values whose ciphertext is in KV alone, some in every run and then from the beginning again: each is opened, and
 * what is opened is not kept. One that is not there or does not open is noted, with an event in its organization's log when it is found first.
 * Of one whose key is not in the keyring nothing is said: that is another finding.
 *
 * @throws {Problem} `storage-unavailable`.
 */
export async function scrubValues({ db, kv, keyring, now }: Needs): Promise<Scrubbed> {
  const [found, known] = await runBatch(db, [selectNextStored(db, VALUES), selectLost(db, LOST)]);
  const next = rowsOf<StoredVersion>(found);
  const rows = [...next, ...rowsOf<StoredVersion>(known)];
  const keys = rows.map(({ kv_key }) => kv_key);
  const ciphertexts = keys.length === 0 ? new Map<string, string>() : await readCiphertexts(kv, keys, "fresh");
  const judged = await Promise.all(rows.map(async (row) => ({ row, reason: await judge(keyring, row, ciphertexts.get(row.kv_key)) })));
  const lost = judged.flatMap(({ row, reason }) => (reason === "not-there" || reason === "does-not-open" ? [{ row, reason }] : []));
  const fresh = lost.filter(({ row }) => row.known === 0).slice(0, REPORTED);
  const noted = [...fresh, ...lost.filter(({ row }) => row.known === 1)];
  const well = judged.flatMap(({ row, reason }) => (reason === null && row.known === 1 ? [row] : []));
  const last = next.length === VALUES ? (next.at(-1) ?? null) : null;
  await runBatch(db, [
    noteLost(db, noted.map(asLost), now.getTime()),
    forgetLost(db, well),
    markStored(db, last),
    ...fresh.map(({ row, reason }) => insertLostEvent(db, row, reason, now)),
  ]);
  return { checked: rows.length, lost: lost.length };
}

type Judgement = "not-there" | "does-not-open" | "key-missing" | null;

async function judge(keyring: Keyring, row: StoredVersion, ciphertext: string | undefined): Promise<Judgement> {
  if (ciphertext === undefined) return "not-there";
  try {
    await open(keyring, { ...row, id: row.secret_id }, { ciphertext, wrappedKey: row.wrapped_key, keyId: row.key_id });
    return null;
  } catch (error) {
    if (error instanceof OpenError) return "does-not-open";
    if (error instanceof KeyMissingError) return "key-missing";
    throw error;
  }
}

function asLost({ row: { secret_id, version, org }, reason }: { readonly row: StoredVersion; readonly reason: string }): LostValue {
  return { secret_id, version, org, reason };
}

function insertLostEvent(db: D1Database, { org, secret_id, name, scope, version }: StoredVersion, reason: string, at: Date): D1PreparedStatement {
  return insertOwnEvent(db, org, "integrity.failed", `value:${reason}`, at, "failed", [{ id: secret_id, name, scope, version }]);
}
