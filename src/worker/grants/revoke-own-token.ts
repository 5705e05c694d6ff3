import type { Caller } from "../access/caller.ts";
import { type RevokeNeeds, revoke } from "./create-revocation.ts";

/**
 * Revokes the token that the caller came with, and every token that descends from it. Whoever holds a token may make an end
 * of it: no permission is needed.
 *
 * @throws {Problem} `unauthenticated`, `quota-exceeded` for a token that is in no list, `integrity-failed`, `storage-unavailable`.
 */
export async function revokeOwnToken(needs: RevokeNeeds, caller: Caller): Promise<void> {
  if (!caller.lineage) throw new Error("a caller without a token has none to revoke");
  const value = caller.lineage.reference;
  await revoke(needs, caller, { revoked: { kind: "id", value }, target: value });
}
