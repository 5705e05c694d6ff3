import type { Context } from "hono";
import { refusalOf } from "../access/refusal.ts";
import type { Env } from "../config.ts";
import { noteRefusal, type Refusals, type RefusedToken } from "../grants/note-refusals.ts";
import { deferWork } from "./defer-work.ts";
import type { HonoEnv } from "./hono-env.ts";
import { originOf } from "./origin-of.ts";

/** What this isolate has counted, by the environment that it was for. */
const counted = new WeakMap<Env, Refusals>();

/** What this isolate has counted in an environment. */
export function refusalsOf(env: Env): Refusals {
  const refusals = counted.get(env) ?? new Map();
  counted.set(env, refusals);
  return refusals;
}

/** That a token is used which is not in force any more is on record with whom it belonged to. */
export function noteRevoked(c: Context<HonoEnv>, error: Error): void {
  const reason = refusalOf(error);
  if (reason !== "revoked" && reason !== "no-row") return;
  const { org, subject: actor, tokenId, lineage } = c.get("caller");
  countRefusal(c, { org, trust: null, actor, tokenId, issuer: lineage?.issuer ?? null, reason, about: null, logged: true });
}

/** Counts a token that was refused, for the log of the organization that it would have been for. */
export function countRefusal(c: Context<HonoEnv>, refused: Omit<RefusedToken, "ip">): void {
  noteRefusal(
    refusalsOf(c.env),
    { db: c.env.DB, now: c.get("now"), quotas: c.get("config").quotas, defer: (work) => deferWork(c, work) },
    { ...refused, ip: originOf(c).ip },
  );
}
