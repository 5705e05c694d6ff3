import type { Encoding } from "../../contract/secret.ts";

/** What a ciphertext belongs to. Moved to any other place, or read in another form, it does not open. */
export interface Binding {
  readonly org: string;
  readonly scope: string;
  readonly name: string;
  readonly version: number;
  /** The secret's id: a secret that was deleted and created again counts its versions from 1, and is another one. */
  readonly id: string;
  readonly encoding: Encoding;
}

/** The formats of an envelope. The last one is written; both open. */
export type EnvelopeFormat = "v1" | "v2";

/** Whether a ciphertext opens only for the secret's id and in the form that it was sealed with: one of the first format does for others too. */
export function bindsEncoding(ciphertext: string): boolean {
  return !ciphertext.startsWith("v1:");
}

/**
 * The associated data of a version's encryption, in UTF-8: the JSON array
 * `["keyhole/v2", org, scope, name, version, id, encoding]`; in the first format without the last two.
 */
export function associatedData(format: EnvelopeFormat, { org, scope, name, version, id, encoding }: Binding): Uint8Array {
  const bound = [`keyhole/${format}`, org, scope, name, version, ...(format === "v1" ? [] : [id, encoding])];
  return new TextEncoder().encode(JSON.stringify(bound));
}
