import { Problem } from "../../contract/problem.ts";
import type { Keyring } from "../envelope/keyring.ts";
import type { FoundSecret } from "../store/resolution.ts";
import type { WalkedLink } from "../store/scope-search.ts";
import { verifyLink } from "../transaction/verify-link.ts";
import { verifyRow } from "../transaction/verify-row.ts";

/** A secret that a search found, with the kind of its current version. */
type Found = FoundSecret & { readonly kind: string | null };

/** A secret that a search found and that cannot be gone by. */
export interface Unverified {
  readonly name: string;
  /** `integrity-failed`, or `storage-unavailable` where its seal is under a key that the keyring lacks. */
  readonly problem: Problem;
}

/**
 * Checks everything that decided a search: the scopes that it went by, and what it found. Returns what it found that is
 * not well: nothing takes the place of what somebody has bent.
 *
 * @param links As JSON ({@link WalkedLink}).
 * @throws {Problem} `integrity-failed`, `storage-unavailable` for a link, which refuses the whole search.
 */
export async function verifyFound(keyring: Keyring, links: string, found: readonly Found[]): Promise<Unverified[]> {
  await Promise.all((JSON.parse(links) as WalkedLink[]).map((link) => verifyLink(keyring, link)));
  return (await Promise.all(found.map((secret) => faultOf(keyring, secret)))).filter((fault) => fault !== undefined);
}

async function faultOf(keyring: Keyring, secret: Found): Promise<Unverified | undefined> {
  try {
    await verifyRow(keyring, "secrets", secret);
    return undefined;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return { name: secret.name, problem };
  }
}
