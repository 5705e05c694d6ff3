import type { StoredEncoding } from "../../contract/secret.ts";

/** What a ciphertext belongs to. Moved to any other place, or read in another form, it does not open. */
export interface Binding {
  readonly org: string;
  readonly scope: string;
  readonly name: string;
  readonly version: number;
  /** The secret's id: a secret that was deleted and created again counts its versions from 1, and is another one. */
  readonly id: string;
  readonly encoding: StoredEncoding;
}

/** What an archived part of an audit log belongs to: consecutive checkpoints of one organization's log, with their events. */
export interface ArchiveBinding {
  readonly org: string;
  readonly first_number: number;
  readonly last_number: number;
  readonly first_seq: number;
  readonly last_seq: number;
}

/** The formats of an envelope. The last one is written; both open. */
export type EnvelopeFormat = "v1" | "v2";

/** Whether a ciphertext opens only for the secret's id and in the form that it was sealed with: one of the first format does for others too. */
export function bindsEncoding(ciphertext: string): boolean {
  return !ciphertext.startsWith("v1:");
}

/**
 * The associated data of an encryption, in UTF-8: of a version the JSON array
 * `["keyhole/v2", org, scope, name, version, id, encoding]`, in the first format without the last two; of an archive
 * `["keyhole/v2 archive", org, first number, last number, first seq, last seq]`.
 */
export function associatedData(format: EnvelopeFormat, binding: Binding | ArchiveBinding): Uint8Array {
  return new TextEncoder().encode(JSON.stringify("name" in binding ? ofVersion(format, binding) : ofArchive(format, binding)));
}

function ofVersion(format: EnvelopeFormat, { org, scope, name, version, id, encoding }: Binding): readonly unknown[] {
  return [`keyhole/${format}`, org, scope, name, version, ...(format === "v1" ? [] : [id, encoding])];
}

function ofArchive(format: EnvelopeFormat, { org, first_number, last_number, first_seq, last_seq }: ArchiveBinding): readonly unknown[] {
  return [`keyhole/${format} archive`, org, first_number, last_number, first_seq, last_seq];
}
