import type { Context } from "hono";
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

/** Counts a token that was refused, for the log of the organization that it would have been for. */
export function countRefusal(c: Context<HonoEnv>, refused: Omit<RefusedToken, "ip">): void {
  noteRefusal(
    refusalsOf(c.env),
    { db: c.env.DB, now: c.get("now"), quotas: c.get("config").quotas, defer: (work) => deferWork(c, work) },
    { ...refused, ip: originOf(c).ip },
  );
}
