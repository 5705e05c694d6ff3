import type { Keyring } from "../envelope/keyring.ts";
import type { FoundSecret } from "../store/resolution.ts";
import type { WalkedLink } from "../store/scope-search.ts";
import { verifyLink } from "../transaction/verify-link.ts";
import { verifyRow } from "../transaction/verify-row.ts";

/** A secret that a search found, with the kind of its current version. */
type Found = FoundSecret & { readonly kind: string | null };

/**
 * Checks everything that decided a search: the scopes that it went by, and what it found. What is not well refuses the
 * whole search: nothing takes the place of what somebody has bent.
 *
 * @param links As JSON ({@link WalkedLink}).
 * @throws {Problem} `integrity-failed`, `storage-unavailable`.
 */
export async function verifyFound(keyring: Keyring, links: string, found: readonly Found[]): Promise<void> {
  await Promise.all((JSON.parse(links) as WalkedLink[]).map((link) => verifyLink(keyring, link)));
  await Promise.all(found.map((secret) => verifyRow(keyring, "secrets", secret)));
}
