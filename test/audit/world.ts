import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { Env } from "../../src/worker/config.ts";
import { runScheduled } from "../../src/worker/scheduled.ts";
import { callWith } from "../support/call-with.ts";
import { STILL } from "../support/still.ts";
import { dropTriggers, MINUTE, sql } from "./support.ts";

/** When the first scheduled run of a world is. */
export const NOON = Date.parse("2026-12-01T12:00:00Z");
const TABLES = [
  "audit_events",
  "audit_checkpoints",
  "audit_heads",
  "audit_marks",
  "audit_statements",
  "audit_generations",
  "audit_by_secret",
  "audit_archives",
  "audit_archive_secrets",
];

/** What is in D1 of the audit log, as somebody has it who copied it. */
export type Copy = Record<string, readonly Record<string, unknown>[]>;

/** A deployment from its first minute on, with what can be done to it by who can write to D1 and to KV. */
export function makeWorld(vars: Partial<Env> = {}) {
  const worker = { ...env, ...vars } as Env;
  const call = callWith(vars);
  return {
    call,
    /** Everything there is of the log is taken away: a new deployment. */
    async reset(): Promise<void> {
      await dropTriggers();
      for (const table of TABLES) await sql(`DELETE FROM ${table}`);
      for (let names = await objects(); names.length > 0; names = await objects()) for (const name of names) await env.KV.delete(name);
      for (const { name } of (await env.KV.list({ prefix: "i/" })).keys) await env.KV.delete(name);
    },
    /** The clock is at a minute. */
    goTo(minute: number): void {
      vi.setSystemTime(NOON + minute * MINUTE);
    },
    /** A scheduled run at a minute. */
    async run(minute: number, bindings: Partial<Env> = {}): Promise<"succeeded" | "failed"> {
      vi.setSystemTime(NOON + minute * MINUTE);
      return runScheduled({ ...worker, ...bindings }, new Date(), STILL).then(
        () => "succeeded",
        () => "failed",
      );
    },
    /** What `/readyz` says of the audit logs and of rows, to somebody whose own revocations are all there. */
    async integrity() {
      return (await call("GET /readyz", { token: { org: "onlooker" } })).body.integrity;
    },
    /** The targets of events that say that something is not what it was. */
    async findings(): Promise<string[]> {
      const { body } = await call("GET /v1/audit?action=integrity.failed", { token: { org: "platform" } });
      return body.events.map(({ target }: { target: string }) => target).reverse();
    },
  };
}

/** The names of the registry's objects, the newest first. */
export async function objects(): Promise<string[]> {
  return (await env.KV.list({ prefix: "r/" })).keys.map(({ name }) => name);
}

/** Copies what D1 has of logs. */
export async function copyOf(...orgs: string[]): Promise<Copy> {
  const copy: Copy = {};
  const marks = orgs.map(() => "?").join(", ");
  for (const table of TABLES.filter((name) => name !== "audit_statements"))
    copy[table] = (
      await env.DB.prepare(`SELECT * FROM ${table} WHERE org IN (${marks})`)
        .bind(...orgs)
        .all()
    ).results;
  return copy;
}

/** Takes away all that D1 has of a log. */
export async function erase(org: string): Promise<void> {
  for (const table of TABLES.filter((name) => name !== "audit_statements")) await sql(`DELETE FROM ${table} WHERE org = ?`, org);
}

/** Puts back what was copied, in the place of what there is now. */
export async function restore(org: string, copy: Copy): Promise<void> {
  await erase(org);
  for (const [table, rows] of Object.entries(copy))
    for (const row of rows.filter((one) => one.org === org))
      await sql(
        `INSERT INTO ${table} (${Object.keys(row).join(", ")}) VALUES (${Object.keys(row)
          .map(() => "?")
          .join(", ")})`,
        ...Object.values(row),
      );
}
