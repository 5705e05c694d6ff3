import type { Context } from "hono";
import type { Config, Env } from "../config.ts";
import { leasesOf } from "../leases/leases.ts";
import type { SourceReader } from "../secrets/sources.ts";
import type { KeptUse } from "../services/leased-use.ts";
import type { UseNeeds } from "../services/use-service.ts";
import { sourceReader } from "../sources/read-sources.ts";
import type { OpenNeeds } from "../stores/open-store.ts";
import { deferWork } from "./defer-work.ts";
import type { HonoEnv } from "./hono-env.ts";
import { originAndHost } from "./use/path-and-query.ts";

/** What verbs need of the deployment and of the call: each takes its part of it. */
interface Needs extends Config {
  readonly db: D1Database;
  readonly kv: KVNamespace;
  readonly now: Date;
  readonly sources: SourceReader;
}

/** What verbs need when they are called by HTTP. */
export interface RequestNeeds extends Needs {
  /** Lets work go on after the reply. */
  readonly defer: (work: Promise<unknown>) => void;
}

/** What verbs need, from a request's context. */
export function needsOf(c: Context<HonoEnv>): RequestNeeds {
  return needsFrom(c.env, c.get("config"), c.get("now"), { address: originAndHost(c.req.url).origin, defer: (work) => deferWork(c, work) });
}

/**
 * What using a service needs, from a request's context.
 *
 * @param holdUp Holds up what D1 has to be asked about, where somebody asks too often.
 */
export function useNeedsOf(c: Context<HonoEnv>, holdUp: UseNeeds["holdUp"]): UseNeeds {
  return { ...needsOf(c), leases: leasesOf<KeptUse>(c.get("config")), clock: Date.now, holdUp };
}

/** What verbs need, from its parts: for calls that come without HTTP. */
export function needsFrom({ DB, KV }: Env, config: Config, now: Date, call: Pick<OpenNeeds, "address" | "defer">): RequestNeeds {
  const needs = { ...config, db: DB, kv: KV, now, defer: call.defer };
  return { ...needs, sources: sourceReader({ ...needs, ...call }) };
}
