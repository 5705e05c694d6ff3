import type { Context } from "hono";
import type { Precondition } from "../secrets/precondition.ts";
import type { NamingNeeds } from "../secrets/set-secret.ts";
import { deferWork } from "./defer-work.ts";
import type { HonoEnv } from "./hono-env.ts";
import { parsePrecondition } from "./parse/parse-precondition.ts";

/** What a verb that writes needs, from a request's context. */
export function writeNeeds(c: Context<HonoEnv>): NamingNeeds {
  const { keyring, legacyPlaintext, maxVersions, reservedNames } = c.get("config");
  return { db: c.env.DB, kv: c.env.KV, keyring, legacyPlaintext, maxVersions, reservedNames, now: c.get("now"), defer: (work) => deferWork(c, work) };
}

/** The conditions of a conditional write, from a request's headers. */
export function precondition(c: Context<HonoEnv>): Precondition {
  return parsePrecondition((name) => c.req.header(name));
}
