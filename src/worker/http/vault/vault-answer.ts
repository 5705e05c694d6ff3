import type { Context } from "hono";
import type { HonoEnv } from "../hono-env.ts";
import { type VaultReply, vaultReplyText } from "./vault-reply.ts";

/** A reply with data that holds no value. */
export function vaultReply(c: Context<HonoEnv>, data: object, warnings: readonly string[] = []): Response {
  return vaultAnswer(c, { data: JSON.stringify(data), warnings });
}

/** A reply of parts. */
export function vaultAnswer(c: Context<HonoEnv>, parts: Omit<VaultReply, "requestId">): Response {
  return c.body(vaultReplyText({ requestId: c.get("requestId"), ...parts }), 200, { "Content-Type": "application/json" });
}

/** It is done, and there is nothing to say of it. */
export function vaultDone(c: Context<HonoEnv>): Response {
  return c.body(null, 204);
}
