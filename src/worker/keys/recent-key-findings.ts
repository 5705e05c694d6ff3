import type { Keyring } from "../envelope/keyring.ts";
import { checkKeys } from "./check-keys.ts";
import { describeFaults, type KeyFindings } from "./describe-faults.ts";

/** How old an answer may be, in milliseconds: `/readyz` is asked by everybody and often. */
const FRESH = 15_000;

const kept = new WeakMap<Keyring, { readonly at: number; readonly findings: KeyFindings }>();

/**
 * What is wrong with the keyring, at most {@link FRESH} ago.
 *
 * @throws {Problem} `storage-unavailable`. That is not kept.
 */
export async function recentKeyFindings({ db, keyring, now }: { db: D1Database; keyring: Keyring; now: Date }): Promise<KeyFindings> {
  const last = kept.get(keyring);
  const age = last ? now.getTime() - last.at : FRESH;
  if (last && age >= 0 && age < FRESH) return last.findings;
  const findings = describeFaults(keyring, await checkKeys({ db, keyring }));
  kept.set(keyring, { at: now.getTime(), findings });
  return findings;
}
