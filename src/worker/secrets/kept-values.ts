import type { Keyring } from "../envelope/keyring.ts";
import { type KeptSealed, memoryCipherOf } from "../envelope/memory-cipher.ts";
import { KeyMissingError, OpenError, openParsed, type ParsedEnvelope, parseEnvelope } from "../envelope/open.ts";
import type { Release, Released } from "./release-secrets.ts";
import type { Findings, RecordedSelection } from "./selection.ts";

/** A value that left and may leave again: sealed, as it was read, with its wrapped key, or, where it came from a store, encrypted for the isolate. */
export type KeptValue = { readonly secret: Omit<Released, "bytes"> } & ({ readonly envelope: ParsedEnvelope } | { readonly copy: KeptSealed });

/** What an answer takes of the memory beside its ciphertexts, in bytes: of each secret, and by itself. */
const SIZE_OF_SECRET = 1_024;
const SIZE_OF_ANSWER = 2_048;

/**
 * The values of a selection with its ciphertexts, to be opened again; `undefined` where one would have to be asked for, or is no ciphertext.
 *
 * @param released What left of it: a store's values are kept as they came.
 */
export async function keptValues(keyring: Keyring, { secrets }: RecordedSelection, released: readonly Released[]): Promise<KeptValue[] | undefined> {
  const bySecret = new Map(released.map((one) => [one.id, one]));
  try {
    const values = await Promise.all(secrets.map((secret) => (secret.encoding === "source" ? keptCopy(keyring, bySecret.get(secret.id)) : keptValue(secret))));
    return values.every((value) => value !== undefined) ? values : undefined;
  } catch (error) {
    if (error instanceof OpenError) return undefined;
    throw error;
  }
}

async function keptCopy(keyring: Keyring, released: Released | undefined): Promise<KeptValue | undefined> {
  if (!released) return undefined;
  const { bytes, ...secret } = released;
  return { secret, copy: await memoryCipherOf(keyring).seal(secret.id, bytes) };
}

function keptValue(secret: RecordedSelection["secrets"][number]): KeptValue | undefined {
  if (secret.kind !== "sealed" || secret.ciphertext === null) return undefined;
  const { name, encoding, label, id, version, set_at: setAt, binding, ciphertext, wrapped_key, key_id } = secret;
  const envelope = parseEnvelope(binding, { ciphertext, wrappedKey: wrapped_key, keyId: key_id });
  return { secret: { name, encoding, scope: label, id, version, setAt }, envelope };
}

/** When a lease ends under which values left: with the first of those that has to be asked for again. Milliseconds since 1970. */
export function endOfLease(until: number, released: readonly Released[]): number {
  return released.reduce((end, secret) => Math.min(end, secret.until ?? end), until);
}

/** Whether one of them came from a store: which of them a scope may have is for the store to say, too. */
export function isOfStore(secrets: readonly Pick<Released, "until">[]): boolean {
  return secrets.some(({ until }) => until !== undefined);
}

/** What kept values take of the memory, in bytes. */
export function sizeOfValues(values: readonly KeptValue[]): number {
  return values.reduce(
    (total, value) => total + ("copy" in value ? value.copy.sealed.byteLength : value.envelope.body.length) + SIZE_OF_SECRET,
    SIZE_OF_ANSWER,
  );
}

/** Opens what left once and leaves again, under the event that it has; `undefined` where it does not open any more: then only a new event may say so. */
export async function releaseAgain(keyring: Keyring, values: readonly KeptValue[], findings: Findings): Promise<Release | undefined> {
  try {
    const [only, another] = values;
    const bytes = only && !another ? [await openKept(keyring, only)] : await Promise.all(values.map((value) => openKept(keyring, value)));
    return { ...findings, secrets: values.map(({ secret }, n) => ({ ...secret, bytes: bytes[n] as Uint8Array })) };
  } catch (error) {
    if (error instanceof KeyMissingError || error instanceof OpenError) return undefined;
    throw error;
  }
}

function openKept(keyring: Keyring, value: KeptValue): Promise<Uint8Array> {
  return "copy" in value ? memoryCipherOf(keyring).open(value.secret.id, value.copy) : openParsed(keyring, value.envelope);
}
