import { Problem, storageUnavailable } from "../../contract/problem.ts";
import { MAX_VALUE_BYTES, type StoredEncoding } from "../../contract/secret.ts";
import type { UnavailableReason } from "../../contract/unavailable.ts";
import type { Binding } from "../envelope/binding.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { KeyMissingError, OpenError, open, sizeOfSealed } from "../envelope/open.ts";
import { readCiphertexts } from "../store/ciphertexts.ts";
import type { StoredValue, ValueKind } from "../store/version-columns.ts";
import { requireFits } from "./require-fits.ts";

/** What reading values needs. */
export interface ReadNeeds {
  readonly kv: KVNamespace;
  readonly keyring: Keyring;
  /** Whether values that are still as another store had them may be read. */
  readonly legacyPlaintext: boolean;
}

/** A value as it is stored, and what it is bound to. */
export type BoundValue = StoredValue & { readonly binding: Binding; readonly encoding: StoredEncoding };
type BoundOf<Kind extends ValueKind> = Extract<BoundValue, { readonly kind: Kind }>;

/** Why a value cannot be had. */
export interface Unread {
  readonly reason: UnavailableReason;
  readonly problem: Problem;
}

/** A value that has been read: how many bytes it has, and how it is opened. */
interface Unopened {
  readonly size: number;
  readonly open: () => Promise<Uint8Array | Unread>;
}

/** Reads values of one kind. The result has the order of `values`. */
type Reader<Kind extends ValueKind> = (needs: ReadNeeds, values: readonly BoundOf<Kind>[]) => Promise<(Unopened | Unread)[]>;

/** How each kind of value is read. */
const READERS: { readonly [Kind in ValueKind]: Reader<Kind> } = {
  sealed: readSealed,
  plaintext: readPlaintexts,
};

/**
 * Reads and opens values, those of each kind together. Each comes with its bytes, or with why it cannot be had, in the
 * order of `values`. Nothing is opened of what is too large together.
 *
 * @throws {Problem} `answer-too-large`.
 */
export async function readValues<T extends BoundValue>(needs: ReadNeeds, values: readonly T[]): Promise<(readonly [T, Uint8Array | Unread])[]> {
  const groups = [...Map.groupBy(values, ({ kind }) => kind).values()];
  const read = await Promise.all(groups.map((group) => readGroup(needs, group)));
  const unopened = new Map(groups.flatMap((group, g) => group.map((value, n) => [value, read[g]?.[n]] as const)));
  requireFits([...unopened.values()].map((value) => (value && "open" in value ? value.size : 0)));
  return Promise.all(
    values.map(async (value) => {
      const had = unopened.get(value) ?? notRead(value);
      return [value, "open" in had ? await had.open() : had] as const;
    }),
  );
}

/**
 * Reads and opens one value.
 *
 * @throws {Problem} `storage-unavailable` when its ciphertext or its key is not there now, or a plaintext value may not be
 *   read; `internal` when it does not open, or is of no kind that can be read; `integrity-failed`.
 */
export async function readValue(needs: ReadNeeds, value: BoundValue): Promise<Uint8Array> {
  const [read] = await readValues(needs, [value]);
  const [, had] = read ?? notRead(value);
  if (had instanceof Uint8Array) return had;
  throw had.problem;
}

/** The rows with the ciphertexts that KV has, in one bulk read. Those that cannot be read now stay as they are. */
export async function inlineCiphertexts<T extends StoredValue>(kv: KVNamespace, rows: readonly T[]): Promise<T[]> {
  const fromKv = await readFromKv(kv, rows).catch(() => new Map<string, string>());
  return rows.map((row) => (row.kind === "sealed" ? { ...row, ciphertext: row.ciphertext ?? fromKv.get(row.kv_key) ?? null } : row));
}

/** The bytes of a plaintext value, or `undefined` when they are not what a value can be. */
export function bytesOfPlaintext(text: string, encoding: StoredEncoding): Uint8Array | undefined {
  try {
    const bytes = encoding === "base64" ? Uint8Array.fromBase64(text, { lastChunkHandling: "strict" }) : new TextEncoder().encode(text);
    return bytes.length > 0 && bytes.length <= MAX_VALUE_BYTES ? bytes : undefined;
  } catch {
    return undefined;
  }
}

async function readGroup(needs: ReadNeeds, group: readonly BoundValue[]): Promise<(Unopened | Unread)[]> {
  const [value] = group;
  if (!value) return [];
  if (!Object.hasOwn(READERS, value.kind)) return group.map((one) => doesNotOpen(`The stored value of ${versionName(one)} is of no kind that can be read.`));
  return (READERS[value.kind] as Reader<ValueKind>)(needs, group);
}

async function readSealed({ kv, keyring }: ReadNeeds, values: readonly BoundOf<"sealed">[]): Promise<(Unopened | Unread)[]> {
  const fromKv = await readFromKv(kv, values).catch((error: unknown) => {
    if (error instanceof Problem) return error;
    throw error;
  });
  return values.map((value) => {
    const ciphertext = value.ciphertext ?? (fromKv instanceof Problem ? undefined : fromKv.get(value.kv_key));
    if (ciphertext !== undefined) return { size: sizeOfSealed(ciphertext), open: () => openSealed(keyring, value, ciphertext) };
    if (fromKv instanceof Problem) return { reason: "storage-unavailable", problem: fromKv };
    // A committed version is never "not found": its ciphertext is on its way to this location.
    return { reason: "not-here-yet", problem: storageUnavailable(`The value of ${versionName(value)} is not available here yet.`) };
  });
}

/** The ciphertexts that are not inline, in one bulk read. */
async function readFromKv(kv: KVNamespace, values: readonly StoredValue[]): Promise<ReadonlyMap<string, string>> {
  const keys = values.flatMap((value) => (value.kind === "sealed" && value.ciphertext === null ? [value.kv_key] : []));
  return keys.length === 0 ? new Map() : readCiphertexts(kv, keys);
}

async function openSealed(keyring: Keyring, value: BoundOf<"sealed">, ciphertext: string): Promise<Uint8Array | Unread> {
  const { binding, key_id, wrapped_key } = value;
  const what = versionName(value);
  try {
    return await open(keyring, binding, { ciphertext, wrappedKey: wrapped_key, keyId: key_id });
  } catch (error) {
    if (error instanceof OpenError) return doesNotOpen(`The stored value of ${what} did not open.`, error);
    if (!(error instanceof KeyMissingError)) throw error;
    const detail = `The value of ${what} is under the key ${error.keyId}, which is not in the keyring, or not usable.`;
    return { reason: "key-missing", problem: storageUnavailable(detail, error) };
  }
}

async function readPlaintexts({ keyring, legacyPlaintext }: ReadNeeds, values: readonly BoundOf<"plaintext">[]): Promise<(Unopened | Unread)[]> {
  return values.map((value) => {
    const what = versionName(value);
    if (keyring.sealsRequired) {
      const detail = `The value of ${what} is plaintext, which nothing of Keyhole's own writes.`;
      return { reason: "integrity-failed", problem: new Problem("integrity-failed", detail) };
    }
    if (!legacyPlaintext) {
      const detail = `The value of ${what} is still as another store had it; it is read once LEGACY_PLAINTEXT is set to read.`;
      return { reason: "plaintext-refused", problem: storageUnavailable(detail) };
    }
    const bytes = bytesOfPlaintext(value.legacy_plaintext, value.encoding);
    return bytes ? { size: bytes.length, open: async () => bytes } : doesNotOpen(`The legacy value of ${what} is not a value.`);
  });
}

function doesNotOpen(detail: string, cause?: unknown): Unread {
  return { reason: "does-not-open", problem: new Problem("internal", detail, { cause }) };
}

function versionName({ binding: { name, scope, version } }: { readonly binding: Binding }): string {
  return `${name} in ${scope}, version ${version}`;
}

function notRead(value: BoundValue): never {
  throw new Error(`the value of ${versionName(value)} was not read`);
}
