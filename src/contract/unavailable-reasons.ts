/** Why a value that is stored cannot be had. */
export const UNAVAILABLE_REASONS = [
  // Its ciphertext has not come to this location yet, or is lost.
  "not-here-yet",
  "storage-unavailable",
  // A key of the keyring that it, or its row, needs is not there.
  "key-missing",
  "does-not-open",
  // Its row is not what was written.
  "integrity-failed",
  // It is still as another store had it, and such values are not read.
  "plaintext-refused",
  // A scope that is not searched locks the name.
  "name-locked",
  // Its value is in a store outside, which does not give it.
  "store-unavailable",
  // The form that was asked for has no way to say it.
  "unwritable",
] as const;
export type UnavailableReason = (typeof UNAVAILABLE_REASONS)[number];

/** A name whose value a resolve leaves out, because it cannot be had. */
export interface Unavailable {
  name: string;
  reason: UnavailableReason;
}
