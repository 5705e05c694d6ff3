import type { StoredEncoding } from "../../contract/secret.ts";
import { METADATA_NAMES, type MetadataColumns } from "../../contract/secret-metadata.ts";

/** A secret's value, decoded. */
export interface SecretValue {
  readonly bytes: Uint8Array;
  readonly encoding: StoredEncoding;
  /** Whether text is another value than JSON of the same characters. */
  readonly typed?: boolean;
  /** Of a place in a store: whether the secret has its value from there already. */
  readonly samePlace?: boolean;
}

/** What a write changes. What is left out stays as it is. */
export interface Change {
  readonly value?: SecretValue | undefined;
  readonly metadata?: Partial<MetadataColumns>;
  /** Whether an expiry that has passed goes with the earlier value, because nobody can know of it who gives a new one. */
  readonly endsExpiry?: boolean;
}

/** A change that brings a value. */
export type ChangeOfValue = Change & { readonly value: SecretValue };

/** Whether two secrets have the same metadata. */
export function hasSameMetadata(a: MetadataColumns, b: MetadataColumns): boolean {
  return METADATA_NAMES.every((name) => a[name] === b[name]);
}
