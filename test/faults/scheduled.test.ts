import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Problem } from "../../src/contract/problem.ts";
import { addKey } from "../../src/keys-file/add-key.ts";
import { promoteKey } from "../../src/keys-file/promote-key.ts";
import { type Env, loadConfig } from "../../src/worker/config.ts";
import { readRegistry } from "../../src/worker/log/read-registry.ts";
import { recordRun } from "../../src/worker/log/record-run.ts";
import { entriesOf, NO_REGISTRY } from "../../src/worker/log/registry.ts";
import { sealLog } from "../../src/worker/log/seal-log.ts";
import { runScheduled } from "../../src/worker/scheduled.ts";
import { forgetLogs } from "../audit/forget-logs.ts";
import { at, type CallOptions, type Reply } from "../support/call.ts";
import { UNSEALED_KEYRING } from "../support/test-secrets.ts";
import { type Fault, faultsFor, watch } from "./binding-faults.ts";
import { ask, START, settled } from "./worker-run.ts";

const MINUTE = 60_000;
/** The clock goes on when a call hangs. */
const PACE = { clock: () => Date.now(), rest: async () => {}, turn: async () => {} };
/** When the faulted run is: all that was made at {@link START} is due. */
const DUE = START + 2 * 86_400_000;
// Plaintext is encrypted by itself where seals are not required.
const VARS = { LEGACY_PLAINTEXT: "read", AUDIT_RETENTION_DAYS: "1", RECOVERY_DAYS: "1", KEYRING: UNSEALED_KEYRING };
const before: Env = { ...env, ...VARS };
let after: Env = before;
let made = 0;

beforeAll(async () => {
  const { ROOT_KEY = "", KEYRING = "" } = before;
  const { secrets } = await addKey({ ROOT_KEY, KEYRING });
  after = { ...before, ...(await promoteKey({ ROOT_KEY, ...secrets })).secrets };
});
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: START });
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockReturnValue();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Each call goes wrong in one way, the next call in the next one. With {@link faultsFor} all of them, each goes wrong in every way. */
const SERIES = Array.from({ length: faultsFor(0, 1).length }, (_, at) => (nth: number) => faultsFor(nth, 1)[at] as Fault);

type Ask = (request: string, options?: CallOptions) => Promise<Reply>;
const calmly =
  (org: string, worker: Env): Ask =>
  async (request, options) =>
    (await ask(watch(worker), org, request, options)) as Reply;

const run = (minutes: number, nth?: number, fault?: Fault) => {
  const watched = watch(after, nth, fault);
  const work = runScheduled(watched.env, new Date(DUE + minutes * MINUTE), PACE).then(
    () => "succeeded" as const,
    (error: unknown) => {
      // A run that cannot be recorded does nothing.
      expect(error instanceof AggregateError || (error instanceof Problem && error.code === "storage-unavailable"), String(error)).toBe(true);
      return "failed" as const;
    },
  );
  return settled(watched, work).then((outcome) => ({ outcome, calls: watched.calls }));
};

/** An organization in which every scheduled job has something to do. */
async function makeWork(): Promise<string> {
  const org = `scheduled-${made++}`;
  await forgetLogs();
  const call = calmly(org, before);
  vi.setSystemTime(START);
  for (const name of ["INLINE", "NOT_IN_KV", "PURGED", "DELETED"]) await call(`PUT ${at("global", name)}`, { json: { value: `value of ${name}` } });
  await call(`DELETE ${at("global", "PURGED")}?purge=true`);
  await call(`DELETE ${at("global", "DELETED")}`);
  const key = "SELECT v.kv_key FROM versions v JOIN secrets s ON s.id = v.secret_id WHERE s.org = ? AND s.name = 'NOT_IN_KV'";
  const missing = (await env.DB.prepare(key).bind(org).first<string>("kv_key")) ?? "";
  await env.KV.delete(missing);
  await env.DB.batch([
    env.DB.prepare("UPDATE versions SET kv_put_at = NULL WHERE kv_key = ?").bind(missing),
    env.DB.prepare(
      "INSERT INTO secrets (id, org, scope, name, version, revision, created_at, created_by, updated_at, updated_by, rotated_at) VALUES (?1, ?2, 'global', 'LEGACY', 1, 1, ?3, 'old', ?3, 'old', ?3)",
    ).bind(`sec_${org}`, org, START),
    env.DB.prepare(
      "INSERT INTO versions (secret_id, version, encoding, created_at, created_by, legacy_plaintext) VALUES (?, 1, 'utf8', ?, 'old', 'value of LEGACY')",
    ).bind(`sec_${org}`, START),
    env.DB.prepare("INSERT INTO tokens (id, org, label, permissions, created_at, created_by, expires_at) VALUES (?1, ?2, 'old', '[]', 0, 'old', 0)").bind(
      `tok_${org}`,
      org,
    ),
  ]);
  const { logKeys, keyring } = await loadConfig(env);
  await sealLog({ db: env.DB, keyring, logKeys, now: new Date(START), registry: NO_REGISTRY });
  await env.DB.prepare("UPDATE audit_heads SET kid = 'older' WHERE org = ?").bind(org).run();
  await call("POST /v1/resolve", { json: { names: ["INLINE"] } });
  // Runs have followed each other for a day.
  for (const hours of [25, 12, 1]) await recordRun({ ...(await loadConfig(before)), db: env.DB, now: new Date(DUE - hours * 60 * MINUTE) });
  return org;
}

const VALUES = { INLINE: "value of INLINE", NOT_IN_KV: "value of NOT_IN_KV", LEGACY: "value of LEGACY" };

/** Whatever scheduled runs do, values are what they were, and what was deleted stays so. */
async function expectValues(org: string): Promise<void> {
  const { status, body } = await calmly(org, after)("POST /v1/resolve", { json: {} });
  expect(status).toBe(200);
  expect(Object.fromEntries(Object.entries<{ value: string }>(body.secrets).map(([name, { value }]) => [name, value]))).toEqual(VALUES);
}

const countOf = (sql: string, ...parameters: unknown[]) =>
  env.DB.prepare(sql)
    .bind(...parameters)
    .first<number>("n");

/** Everything that a scheduled run is for has been done. */
async function expectDone(org: string): Promise<void> {
  await expectValues(org);
  const call = calmly(org, after);
  expect((await call("GET /readyz")).body).toMatchObject({ status: "ready", backlog: { set_aside: 0, legacy_plaintext: 0, audit_logs: 0 } });
  const { current } = JSON.parse(after.KEYRING ?? "") as { current: string };
  expect(await countOf("SELECT COUNT(*) AS n FROM versions WHERE ciphertext IS NOT NULL OR key_id <> ?", current)).toBe(0);
  expect(await countOf("SELECT COUNT(*) AS n FROM secrets WHERE org = ? AND name IN ('PURGED', 'DELETED')", org)).toBe(0);
  expect(await countOf("SELECT COUNT(*) AS n FROM kv_removals WHERE noted_at < ?", Date.now())).toBe(0);
  expect((await env.KV.list({ prefix: "c_" })).keys.map(({ name }) => name).sort()).toEqual(
    (await env.DB.prepare("SELECT kv_key FROM versions UNION SELECT kv_key FROM kv_removals ORDER BY kv_key").all<{ kv_key: string }>()).results.map(
      ({ kv_key }) => kv_key,
    ),
  );
  expect(await countOf("SELECT COUNT(*) AS n FROM tokens WHERE org = ?", org)).toBe(0);
  expect(await countOf("SELECT COUNT(*) AS n FROM audit_events WHERE org = ? AND seq <= 6", org)).toBe(0);
  expect(await countOf("SELECT COUNT(*) AS n FROM audit_heads WHERE kid = 'older'")).toBe(0);
  expect(await countOf("SELECT COUNT(*) AS n FROM secrets WHERE org = ? AND name = 'INLINE' AND last_resolved_at IS NOT NULL", org)).toBe(1);
  expect((await call("GET /v1/audit/verify")).body).toMatchObject({ ok: true, first_bad: null });
  expect((await call("GET /readyz")).body.integrity).toMatchObject({ registry: "ok", logs: 0, forged_objects: 0, lost_at: null });
  expect(await isOnRecord(org), "the log is in the registry as it is").toBe(true);
  expect(await countOf("SELECT COUNT(*) AS n FROM audit_events WHERE action = 'integrity.failed'")).toBe(0);
  await call(`DELETE ${at("global", "LEGACY")}`);
  await call("DELETE /v1/scopes/global?secrets=true");
}

/** Whether the registry has the log as far as it has come. */
async function isOnRecord(org: string): Promise<boolean> {
  const { logKeys, keyring } = await loadConfig(after);
  const registry = await readRegistry({ kv: env.KV, logKeys, now: new Date(DUE + 40 * MINUTE) });
  const [entry] = await entriesOf(registry, keyring, org, [keyring.current]);
  const number = await countOf("SELECT MAX(number) AS n FROM audit_checkpoints WHERE org = ?", org);
  return entry !== undefined && entry.number === number && entry.removed_to === (await countOf("SELECT removed_to AS n FROM audit_heads WHERE org = ?", org));
}

/** Runs for long enough that what was in quarantine is tried again and what is to be removed from KV is. */
async function recover(): Promise<void> {
  for (const minutes of [6, 12, 40]) await run(minutes);
}

describe("a scheduled run", () => {
  it("does everything that it is for when nothing goes wrong", async () => {
    const org = await makeWork();
    const { outcome, calls } = await run(0);
    expect(outcome).toBe("succeeded");
    expect([...new Set(calls)].sort()).toEqual(["D1 batch", "KV delete", "KV get", "KV list", "KV put"]);
    await recover();
    await expectDone(org);
    await recover();
  });

  it.each(SERIES)(
    "leaves values as they are and comes to an end in later runs when any one call of its bindings goes wrong (series %#)",
    { timeout: 180_000 },
    async (faultOf) => {
      await makeWork();
      const { calls } = await run(0);
      let cells = 0;
      for (const nth of calls.keys()) {
        const org = await makeWork();
        const cell = await run(0, nth, faultOf(nth));
        expect(cell.calls.length, `${calls[nth]} ${nth}`).toBeGreaterThan(nth);
        await expectValues(org);
        await recover();
        await expectDone(org);
        cells++;
      }
      expect(cells).toBe(calls.length);
      expect(cells).toBeGreaterThan(20);
    },
  );

  it("does no harm beside another one, nor beside three", { timeout: 30_000 }, async () => {
    for (const many of [2, 4]) {
      const org = await makeWork();
      await Promise.all(Array.from({ length: many }, () => run(0)));
      await expectValues(org);
      await recover();
      await expectDone(org);
    }
  });
});
