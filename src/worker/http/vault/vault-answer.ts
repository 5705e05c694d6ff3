import type { Context } from "hono";
import type { HonoEnv } from "../hono-env.ts";
import { vaultReplyText } from "./vault-reply.ts";

/** A reply with data that holds no value. */
export function vaultReply(c: Context<HonoEnv>, data: object, warnings: readonly string[] = []): Response {
  const text = vaultReplyText({ requestId: c.get("requestId"), data: JSON.stringify(data), warnings });
  return c.body(text, 200, { "Content-Type": "application/json" });
}

/** It is done, and there is nothing to say of it. */
export function vaultDone(c: Context<HonoEnv>): Response {
  return c.body(null, 204);
}
