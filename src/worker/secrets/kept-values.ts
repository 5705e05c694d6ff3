import type { Keyring } from "../envelope/keyring.ts";
import { KeyMissingError, OpenError, openParsed, type ParsedEnvelope, parseEnvelope } from "../envelope/open.ts";
import type { Release, Released } from "./release-secrets.ts";
import type { Findings, RecordedSelection } from "./selection.ts";

/** A value that left and may leave again: sealed, as it was read, with its wrapped key. */
export interface KeptValue {
  readonly secret: Omit<Released, "bytes">;
  readonly envelope: ParsedEnvelope;
}

/** What an answer takes of the memory beside its ciphertexts, in bytes: of each secret, and by itself. */
const SIZE_OF_SECRET = 1_024;
const SIZE_OF_ANSWER = 2_048;

/** The values of a selection with its ciphertexts, to be opened again; `undefined` where one would have to be asked for, or is no ciphertext. */
export function keptValues({ secrets }: RecordedSelection): KeptValue[] | undefined {
  try {
    const values = secrets.map(keptValue).filter((value) => value !== undefined);
    return values.length === secrets.length ? values : undefined;
  } catch (error) {
    if (error instanceof OpenError) return undefined;
    throw error;
  }
}

/** Whether the values of a selection may leave again under its event: none of them would have to be asked for, and all are ciphertexts. */
export function mayLeaveAgain({ secrets }: RecordedSelection): boolean {
  return secrets.every(isKeepable);
}

type Selected = RecordedSelection["secrets"][number];

function isKeepable(secret: Selected): secret is Extract<Selected, { readonly kind: "sealed" }> & { readonly ciphertext: string } {
  // What comes from a store is asked for again.
  return secret.kind === "sealed" && secret.ciphertext !== null && secret.encoding !== "source";
}

function keptValue(secret: Selected): KeptValue | undefined {
  if (!isKeepable(secret)) return undefined;
  const { name, encoding, label, id, version, set_at: setAt, binding, ciphertext, wrapped_key, key_id } = secret;
  const envelope = parseEnvelope(binding, { ciphertext, wrappedKey: wrapped_key, keyId: key_id });
  return { secret: { name, encoding, scope: label, id, version, setAt }, envelope };
}

/** What kept values take of the memory, in bytes. */
export function sizeOfValues(values: readonly KeptValue[]): number {
  return values.reduce((total, { envelope }) => total + envelope.body.length + SIZE_OF_SECRET, SIZE_OF_ANSWER);
}

/** Opens what left once and leaves again, under the event that it has; `undefined` where it does not open any more: then only a new event may say so. */
export async function releaseAgain(keyring: Keyring, values: readonly KeptValue[], findings: Findings): Promise<Release | undefined> {
  try {
    const [only, another] = values;
    const bytes =
      only && !another ? [await openParsed(keyring, only.envelope)] : await Promise.all(values.map(({ envelope }) => openParsed(keyring, envelope)));
    return { ...findings, secrets: values.map(({ secret }, n) => ({ ...secret, bytes: bytes[n] as Uint8Array })) };
  } catch (error) {
    if (error instanceof KeyMissingError || error instanceof OpenError) return undefined;
    throw error;
  }
}
