import type { Keyring } from "../envelope/keyring.ts";
import { verifyRow } from "./verify-row.ts";

/** A scope, and the one that it lies under. */
export interface Link {
  readonly org: string;
  readonly scope: string;
  readonly parent: string | null;
  readonly seal: string | null;
}

/**
 * Checks that a scope lies where this deployment put it. One that lies under no other needs no seal: scopes in use have a
 * row without anybody having declared them.
 *
 * @throws {Problem} `integrity-failed`, `storage-unavailable`.
 */
export async function verifyLink(keyring: Keyring, link: Link): Promise<void> {
  if (link.parent !== null || link.seal !== null) await verifyRow(keyring, "scopes", link);
}
