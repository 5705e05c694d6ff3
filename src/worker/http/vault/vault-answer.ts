import type { Context } from "hono";
import type { HonoEnv } from "../hono-env.ts";
import { type VaultReply, type VersionFacts, vaultReplyText, versionMetadata } from "./vault-reply.ts";

/** A reply with data that holds no value. */
export function vaultReply(c: Context<HonoEnv>, data: object, warnings: readonly string[] = []): Response {
  return vaultAnswer(c, { data: JSON.stringify(data), warnings });
}

/** What 404 may mean where a read may tell of a deletion, for the API description. */
export const DELETED_OR_ABSENT = "It is deleted, and the token may know it; or it is not there.";

/**
 * The reply to a read of what is deleted, to a caller who may know it: 404, with when that was. Clients show it, or take it for
 * nothing.
 *
 * @param without What the version would have held.
 */
export function vaultDeleted(c: Context<HonoEnv>, without: "data" | "subkeys", facts: VersionFacts & { readonly deletedAt: number }): Response {
  c.set("problem", "secret-not-found");
  return vaultAnswer(c, { data: JSON.stringify({ [without]: null, metadata: versionMetadata(facts) }) }, 404);
}

/** A reply of parts. */
export function vaultAnswer(c: Context<HonoEnv>, parts: Omit<VaultReply, "requestId">, status: 200 | 404 = 200): Response {
  return c.body(vaultReplyText({ requestId: c.get("requestId"), ...parts }), status, { "Content-Type": "application/json" });
}

/** It is done, and there is nothing to say of it. */
export function vaultDone(c: Context<HonoEnv>): Response {
  return c.body(null, 204);
}
