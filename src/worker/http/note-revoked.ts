import type { Context } from "hono";
import { refusalOf } from "../access/refusal.ts";
import { countRefusal } from "./count-refusal.ts";
import type { HonoEnv } from "./hono-env.ts";

/** That a token is used which is not in force any more is on record with whom it belonged to. */
export function noteRevoked(c: Context<HonoEnv>, error: Error): void {
  const reason = refusalOf(error);
  if (reason !== "revoked" && reason !== "no-row") return;
  const { org, subject: actor, tokenId, lineage } = c.get("caller");
  countRefusal(c, { org, trust: null, actor, tokenId, issuer: lineage?.issuer ?? null, reason, about: null, logged: true });
}
