import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { parseEvent, verifyExport } from "../../scripts/verify-export.ts";
import { checkpointPageSchema } from "../../src/contract/audit.ts";
import { loadConfig } from "../../src/worker/config.ts";
import { NO_REGISTRY } from "../../src/worker/log/registry.ts";
import { removeOldEvents } from "../../src/worker/log/remove-old-events.ts";
import frozen from "../vectors/audit-log-0006.json" with { type: "json" };
import { append, DAY, dropTriggers, exported, START, seal, sql, verified, verifiedOffline } from "./support.ts";

/** Takes away everything in D1: the tables that others refer to go after those. */
async function emptyD1(): Promise<void> {
  const SQL = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_cf%' ESCAPE '\\'";
  await env.DB.prepare("DROP VIEW audit_entries").run();
  const names = (await env.DB.prepare(SQL).all<{ name: string }>()).results.map(({ name }) => name);
  const last = ["secrets"];
  for (const name of [...names.filter((one) => !last.includes(one)), ...last]) await env.DB.prepare(`DROP TABLE "${name}"`).run();
}

async function insertRows(table: string, rows: readonly Record<string, unknown>[]): Promise<void> {
  for (const row of rows) {
    const columns = Object.keys(row);
    await sql(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`, ...Object.values(row));
  }
}

// As a deployment: the schema up to 0006, in which a Worker before this one wrote and sealed; then the later migrations.
beforeAll(async () => {
  await emptyD1();
  await applyD1Migrations(
    env.DB,
    env.TEST_MIGRATIONS.filter(({ name }) => name < "0007"),
  );
  // Of one log retention has removed the beginning.
  await sql("DROP TRIGGER audit_events_appended");
  for (const [table, rows] of Object.entries(frozen.tables)) await insertRows(table, rows);
  await expect(env.DB.prepare("SELECT version FROM audit_events").all()).rejects.toThrow("no such column");
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
});

const LOGS = [
  ["frozen", { ok: true, checked: 8, unsealed: 0, first_bad: null }],
  ["frozen-removed", { ok: true, checked: 1, unsealed: 2, first_bad: null }],
] as const;

describe.each(LOGS)("the log %s, sealed before events had versions", (org, verdict) => {
  const before = frozen.exports[org];

  it("verifies as before, online and offline", async () => {
    expect(await verified(org)).toEqual(verdict);
    expect(await verifiedOffline(org)).toEqual(verdict);
  });

  it("is exported as before, but for the version", async () => {
    const { lines, checkpoints, head } = await exported(org);
    expect(lines.map((line) => JSON.parse(line))).toEqual(before.log.map((line) => ({ version: 1, ...JSON.parse(line) })));
    expect({ checkpoints, head, next_cursor: null }).toEqual(before.checkpoints);
  });

  it("verifies as it was exported then", async () => {
    const { checkpoints, head } = checkpointPageSchema.parse(before.checkpoints);
    expect(await verifyExport({ org, events: before.log.map(parseEvent), checkpoints, head, jwks: frozen.jwks })).toEqual(verdict);
  });

  it("does not as it was exported then, when a line says to be of a later version", async () => {
    const { checkpoints, head } = checkpointPageSchema.parse(before.checkpoints);
    const [first = "", ...others] = before.log;
    const { seq } = JSON.parse(first);
    const events = [JSON.stringify({ ...JSON.parse(first), version: 2 }), ...others].map(parseEvent);
    expect(await verifyExport({ org, events, checkpoints, head, jwks: frozen.jwks })).toMatchObject({ ok: false, first_bad: seq });
  });
});

it("the logs from before go on", async () => {
  for (const [org] of LOGS) await append(org, 2, { at: START + 101 * DAY });
  expect((await seal()).refused).toBe(0);
  for (const [org, { checked, unsealed }] of LOGS) {
    expect(await verified(org)).toEqual({ ok: true, checked: checked + unsealed + 2, unsealed: 0, first_bad: null });
    expect(await verifiedOffline(org)).toEqual(await verified(org));
  }
});

it("events from before are removed by retention, and what is left verifies", async () => {
  const { logKeys, keyring } = await loadConfig(env);
  const { events, refused } = await removeOldEvents({
    db: env.DB,
    kv: env.KV,
    keyring,
    logKeys,
    registry: NO_REGISTRY,
    retentionDays: 30,
    now: new Date(START + 60 * DAY),
  });
  expect([events, refused]).toEqual([5, 0]);
  expect(await verified("frozen")).toEqual({ ok: true, checked: 5, unsealed: 1, first_bad: null });
});

it("a change of an event from before is found, also when it says to be of another version", async () => {
  await dropTriggers();
  for (const version of [1, 2, 99]) {
    await sql("UPDATE audit_events SET actor = 'x', version = ? WHERE org = 'frozen-removed' AND seq = 6", version);
    expect(await verified("frozen-removed")).toMatchObject({ ok: false, first_bad: 6 });
    expect(await verifiedOffline("frozen-removed")).toMatchObject({ ok: false, first_bad: 6 });
  }
});
