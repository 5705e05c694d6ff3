import type { Context } from "hono";
import type { Config, Env } from "../config.ts";
import { deferWork } from "./defer-work.ts";
import type { HonoEnv } from "./hono-env.ts";

/** What verbs need of the deployment and of the request: each takes its part of it. */
export interface Needs extends Config {
  readonly db: D1Database;
  readonly kv: KVNamespace;
  readonly now: Date;
  /** Lets work go on after the reply. */
  readonly defer: (work: Promise<unknown>) => void;
}

/** What verbs need, from a request's context. */
export function needsOf(c: Context<HonoEnv>): Needs {
  return needsFrom(c.env, c.get("config"), c.get("now"), (work) => deferWork(c, work));
}

/** What verbs need, from its parts: for calls that come without HTTP. */
export function needsFrom({ DB, KV }: Env, config: Config, now: Date, defer: Needs["defer"]): Needs {
  return { ...config, db: DB, kv: KV, now, defer };
}
