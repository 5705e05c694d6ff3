import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { loadConfig } from "../../src/worker/config.ts";
import { forgetExpiredTokens } from "../../src/worker/grants/forget-expired-tokens.ts";
import { forgetIdentities } from "../../src/worker/grants/forget-identities.ts";
import { daysLeft } from "../../src/worker/health/days-left.ts";
import { digestLog } from "../../src/worker/log/digest-log.ts";
import { NO_REGISTRY } from "../../src/worker/log/registry.ts";
import { sealLog } from "../../src/worker/log/seal-log.ts";
import { takeTurns } from "../../src/worker/log/take-turns.ts";
import { runScheduled } from "../../src/worker/scheduled.ts";
import { JOBS } from "../../src/worker/scheduled-jobs.ts";
import { scrubValues } from "../../src/worker/secrets/scrub-values.ts";
import { settleCiphertexts } from "../../src/worker/secrets/settle-ciphertexts.ts";
import { runAlone } from "../../src/worker/transaction/run-alone.ts";
import { afterOthers, type Budget, beginWork, budgetOf, type Pace, workInBatches } from "../../src/worker/transaction/work-in-batches.ts";
import { append } from "../audit/support.ts";
import { at, call, put } from "../support/call.ts";
import { STILL } from "../support/still.ts";

const NOW = Date.parse("2026-12-01T00:00:00Z");
const MINUTE = 60_000;
const now = new Date(NOW);
const sql = (text: string, ...parameters: unknown[]) =>
  env.DB.prepare(text)
    .bind(...parameters)
    .run();
const countOf = (from: string, ...parameters: unknown[]) =>
  env.DB.prepare(`SELECT COUNT(*) AS n FROM ${from}`)
    .bind(...parameters)
    .first<number>("n");

/** A clock that goes on when D1 works or somebody rests, and a D1 whose transactions take so long, in milliseconds. */
function slowly(took: number | ((nth: number) => number)) {
  let time = 0;
  let calls = 0;
  const rested: number[] = [];
  const pace = {
    clock: () => time,
    rest: async (milliseconds: number) => {
      rested.push(milliseconds);
      time += milliseconds;
    },
    turn: async () => {},
  };
  const DB = {
    prepare: (text: string) => env.DB.prepare(text),
    batch: (statements: D1PreparedStatement[]) => {
      time += typeof took === "number" ? took : took(calls);
      calls++;
      return env.DB.batch(statements);
    },
  } as unknown as D1Database;
  const work = beginWork(DB, pace);
  return { pace, DB, work, rested, needs: (seconds: number): { db: D1Database; budget: Budget } => ({ db: work.db, budget: budgetOf(work, seconds) }) };
}

/** KV in which every ciphertext is `x`, so that it is nobody's time that passes. */
const KV = {
  get: async (keys: string[] | string) => (Array.isArray(keys) ? new Map(keys.map((key) => [key, "x"])) : "x"),
  put: async () => {},
  delete: async () => {},
} as unknown as KVNamespace;

const NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2)";

/** Notes ciphertexts of an organization for removal. */
const noteRemovals = (org: string, count: number, at: number) =>
  sql(`${NUMBERS} INSERT INTO kv_removals (kv_key, noted_at, org) SELECT 'c_' || ?1 || i, ?3, ?1 FROM n`, org, count, at);

/** Versions of one secret of an organization whose ciphertexts are still in D1. */
async function writeInline(org: string, count: number, putAt: number | null, createdAt: number): Promise<void> {
  await sql(
    `INSERT INTO secrets (id, org, scope, name, version, revision, created_at, created_by, updated_at, updated_by, rotated_at)
     VALUES ('sec_' || ?1, ?1, 'global', 'S', ?2, 1, 0, 's', 0, 's', 0)`,
    org,
    count,
  );
  await sql(
    `${NUMBERS} INSERT INTO versions (secret_id, version, encoding, key_id, wrapped_key, kv_key, ciphertext, kv_put_at, created_at, created_by)
     SELECT 'sec_' || ?1, i + 1, 'utf8', 'k', 'w', 'c_' || ?1 || i, 'x', ?3, ?4, 's' FROM n`,
    org,
    count,
    putAt,
    createdAt,
  );
}

/** The lines that runs have logged. */
let lines: string[] = [];

beforeEach(async () => {
  lines = [];
  vi.spyOn(console, "log").mockImplementation((line) => void lines.push(line));
  await env.DB.batch(
    [
      "DELETE FROM scheduled_run",
      "DELETE FROM database_sizes",
      "INSERT OR IGNORE INTO kv_removals (kv_key, noted_at) SELECT kv_key, 0 FROM versions WHERE kv_key IS NOT NULL",
      "DELETE FROM secrets",
      "DELETE FROM kv_removals",
    ].map((text) => env.DB.prepare(text)),
  );
});

describe("a scheduled run", () => {
  it("is the only one: of two that begin at once one works", async () => {
    let working = 0;
    const most: number[] = [];
    const work = async () => {
      most.push(++working);
      await env.DB.prepare("SELECT 1").run();
      working--;
    };
    const alone = await Promise.all([1, 2, 3, 4].map(() => runAlone({ db: env.DB, now }, work)));
    expect([alone.filter(Boolean).length, most]).toEqual([1, [1]]);
    expect(await runAlone({ db: env.DB, now }, work), "the next one").toBe(true);
  });

  it("takes the place of one that died after 90 seconds, and until then only says so", async () => {
    await sql("INSERT INTO scheduled_run (id, holder, until) VALUES (1, 'dead', ?)", NOW + 90_000);
    await runScheduled(env as never, new Date(NOW + 89_999), STILL);
    expect(lines).toEqual([JSON.stringify({ level: "info", event: "scheduled", skipped: "another run is at work" })]);
    await runScheduled(env as never, new Date(NOW + 90_000), STILL);
    expect(lines[1]).toContain('"backlog"');
    expect(await countOf("scheduled_run")).toBe(0);
  });

  it("is not held off for ever by a time that no run has set", async () => {
    await sql("INSERT INTO scheduled_run (id, holder, until) VALUES (1, 'nobody', ?)", NOW + 86_400_000);
    expect(await runAlone({ db: env.DB, now }, async () => {})).toBe(true);
  });

  it("ends its own hold also when it fails, and nobody else's", async () => {
    await expect(runAlone({ db: env.DB, now }, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await countOf("scheduled_run")).toBe(0);
    await runAlone({ db: env.DB, now }, async () => void (await sql("UPDATE scheduled_run SET holder = 'another'")));
    expect(await countOf("scheduled_run WHERE holder = 'another'")).toBe(1);
  });

  it("has budgets of 40 seconds in all", () => {
    const seconds = Object.values(JOBS).flatMap((job) => job.seconds ?? []);
    expect(seconds.length).toBeGreaterThan(8);
    expect(seconds.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(40);
  });

  it.each([
    ["goes through all jobs while D1 is quick", 10, []],
    ["leaves the rest of its work when a transaction takes over 500 ms, and still records and watches", 501, ["rewrapped", "sealed", "ciphertexts"]],
  ])("%s", async (_, took, skipped) => {
    const { pace, DB } = slowly(took);
    await runScheduled({ ...env, DB } as never, now, pace);
    const line = JSON.parse(lines.at(-1) ?? "");
    for (const name of ["rewrapped", "sealed", "ciphertexts"]) expect(line[name]?.skipped, name).toBe(skipped.includes(name as never) ? "slow" : undefined);
    for (const name of ["inventory", "heads", "registered", "backlog"]) expect(line[name], name).not.toMatchObject({ skipped: expect.anything() });
  });

  it("begins nothing after a minute, so that it is over before another one may take its place", async () => {
    const { pace, DB } = slowly((nth) => (nth === 5 ? 60_000 : 1));
    await runScheduled({ ...env, DB } as never, now, pace);
    const line = JSON.parse(lines.at(-1) ?? "");
    expect([line.sealed, line.registered, line.backlog]).toEqual([{ skipped: "time" }, { skipped: "time" }, { skipped: "time" }]);
  });
});

it.each([
  ["that has a budget", (db: D1Database, pace: Pace) => beginWork(db, pace).db],
  ["that has none", afterOthers],
])("lets requests that wait have their turn before each transaction of a job %s", async (_, paced) => {
  const seen: string[] = [];
  const pace = { ...STILL, turn: async () => void seen.push("turn") };
  const db = paced({ batch: async () => seen.push("transaction") } as never, pace);
  for (let n = 0; n < 2; n++) await db.batch([]);
  expect(seen).toEqual(["turn", "transaction", "turn", "transaction"]);
});

describe("a budget", () => {
  it("is used in batches with rests as long as they, so that D1 is free half of the time", async () => {
    const { work, rested } = slowly(100);
    let batches = 0;
    await workInBatches(budgetOf(work, 4), async () => {
      await work.db.batch([env.DB.prepare("SELECT 1")]);
      return ++batches < 1_000;
    });
    expect([batches, rested.length, new Set(rested)]).toEqual([20, 20, new Set([100])]);
  });

  it("ends before the platform's bound of statements, however quick they are", async () => {
    const { work } = slowly(0);
    let batches = 0;
    await workInBatches(budgetOf(work, 40), async () => {
      await work.db.batch(Array.from({ length: 5 }, () => env.DB.prepare("SELECT 1")));
      return ++batches < 1_000;
    });
    expect(batches * 5).toBe(720);
  });

  it("lets a job do all that fits, and go on in the next run where it stopped", async () => {
    await noteRemovals("big", 9_000, 0);
    const first = slowly(50);
    // A third of six seconds, of which half is rest: ten batches of two transactions.
    const { removed } = await settleCiphertexts({ ...first.needs(6), kv: KV, now });
    expect(removed).toBeGreaterThanOrEqual(5_000);
    expect(await countOf("kv_removals")).toBe(9_000 - removed);
    await settleCiphertexts({ ...slowly(50).needs(6), kv: KV, now });
    expect(await countOf("kv_removals")).toBe(0);
  });
});

describe("an organization with little to do is done in the first run beside one with very much", () => {
  it("of removals", async () => {
    await noteRemovals("big", 30_000, 0);
    await noteRemovals("small", 3, 1);
    await settleCiphertexts({ ...slowly(400).needs(3), kv: KV, now });
    expect(await countOf("kv_removals WHERE org = 'big'")).toBeGreaterThan(20_000);
    expect(await countOf("kv_removals WHERE org = 'small'")).toBe(0);
  });

  it.each([
    ["puts", null, "kv_put_at IS NULL"],
    ["clears", 1, "ciphertext IS NOT NULL"],
  ])("of %s", async (_, putAt, left) => {
    await writeInline("big", 20_000, putAt, 0);
    await writeInline("small", 3, putAt, 10);
    await settleCiphertexts({ ...slowly(200).needs(3), kv: KV, now });
    expect(await countOf(`versions WHERE ${left} AND org = 'big'`)).toBeGreaterThan(10_000);
    expect(await countOf(`versions WHERE ${left} AND org = 'small'`), "the trigger has said whose it is").toBe(0);
  });

  it("of removals of more organizations than a batch has rows: each has its turn", async () => {
    await sql(`${NUMBERS} INSERT INTO kv_removals (kv_key, noted_at, org) SELECT 'c_' || ?1 || i, 0, ?1 || (i % 700) FROM n`, "many", 2_100);
    for (let minute = 0; minute < 2; minute++) await settleCiphertexts({ ...slowly(400).needs(3), kv: KV, now: new Date(NOW + minute * MINUTE) });
    expect(await env.DB.prepare("SELECT COUNT(DISTINCT org) AS n FROM (SELECT org FROM kv_removals GROUP BY org HAVING COUNT(*) = 3)").first("n")).toBe(0);
  });

  it("of the log: sealed, and digested", async () => {
    await append("log-big", 12_000, { secrets: "[]" });
    await append("log-small", 3);
    const { logKeys, keyring } = await loadConfig(env);
    const needs = { logKeys, keyring, now, registry: NO_REGISTRY };
    const { events } = await sealLog({ ...slowly(100).needs(1), ...needs });
    expect([events < 12_000, await countOf("audit_checkpoints WHERE org = 'log-small'")]).toEqual([true, 1]);
    expect(await digestLog({ ...slowly(100).needs(1), now })).toBeLessThan(12_000);
    expect(await countOf("audit_by_secret WHERE org = 'log-small'")).toBe(3);
  });

  it("of logs with a few events each: hundreds of them are sealed and digested in one run", async () => {
    await sql(
      `${NUMBERS} INSERT INTO audit_events (org, seq, at, actor, action, outcome, secrets, request_id)
       SELECT ?1 || (i / 2), i % 2 + 1, 0, 'a', 'secret.update', 'allowed', '[]', 'r' FROM n`,
      "few-",
      800,
    );
    const { logKeys, keyring } = await loadConfig(env);
    const sealing = slowly(20);
    expect(await sealLog({ ...sealing.needs(6), logKeys, keyring, now, registry: NO_REGISTRY })).toMatchObject({ refused: 0 });
    expect(await countOf("audit_checkpoints WHERE org LIKE 'few-%'")).toBe(400);
    expect(sealing.work.statements).toBeLessThanOrEqual(6 * 18);
  });

  it("of a log of many events: a batch that was quick lets the next one be larger", async () => {
    await append("log-long", 30_000, { secrets: "[]" });
    const [quick, slow] = [slowly(5), slowly(30)];
    const few = await digestLog({ ...slow.needs(5), now });
    expect(few).toBeGreaterThan(0);
    expect(await digestLog({ ...quick.needs(5), now })).toBeGreaterThan(2 * few);
    await sql("INSERT INTO audit_marks (job, org, seq, seen_at) VALUES ('seal', 'log-long', 30000, 0)");
  });

  it("of a job whose first logs are all stuck or accused", async () => {
    const logs = Array.from({ length: 40 }, (_, n) => ({ org: `o${String(n).padStart(2, "0")}` }));
    const worked: string[] = [];
    const accused = new Set(logs.slice(0, 15).map(({ org }) => org));
    const refused = await takeTurns(
      { db: env.DB, now, accused },
      {
        job: "archive",
        select: async (except) => {
          const left = logs.filter(({ org }) => !(JSON.parse(except) as string[]).includes(org) && !worked.includes(`${org} done`)).slice(0, 10);
          return { logs: left, full: left.length === 10 };
        },
        work: async ({ org }) => {
          worked.push(org === "o39" ? `${org} done` : org);
          return org === "o39" ? "done" : "stuck";
        },
      },
    );
    expect([refused, worked.length, worked.at(-1)]).toEqual([15, 25, "o39 done"]);
    expect(await countOf("audit_marks WHERE job = 'archive' AND org LIKE 'o__' AND seen_at = ?", NOW), "they come last in the next run").toBe(39);
  });
});

describe("/readyz with keys:read", () => {
  const backlog = async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: NOW });
    try {
      return (await call("GET /readyz")).body.backlog;
    } finally {
      vi.useRealTimers();
    }
  };

  it("says what waits and is due, for how long, and nothing of what is not due yet", async () => {
    await writeInline("inline", 2_436, NOW - 7 * MINUTE, NOW - 8 * MINUTE);
    await writeInline("young", 50, NOW - 4 * MINUTE, NOW - 5 * MINUTE);
    await writeInline("unput", 12, null, NOW - 3 * MINUTE);
    await noteRemovals("gone", 7_771, NOW - 21 * MINUTE);
    await noteRemovals("just-gone", 20, NOW - 19 * MINUTE);
    await append("read-log", 40, { at: NOW - 90_000 });
    await sql("UPDATE audit_marks SET seq = 99999");
    const { scheduled } = await backlog();
    expect(scheduled).toMatchObject({
      ciphertexts_cleared: { rows: 2_436, seconds: 120 },
      ciphertexts_put: { rows: 12, seconds: 120 },
      ciphertexts_removed: { rows: 7_771, seconds: 60 },
      sealed: { events: 40, seconds: 90 },
      digested: { events: 40, seconds: 90 },
      events_removed: { events: 0, seconds: 0 },
    });
    await noteRemovals("more", 5_000, NOW - 60 * MINUTE);
    expect((await backlog()).scheduled.ciphertexts_removed).toEqual({ rows: 10_001, seconds: 40 * 60 });
  });

  it("counts of each kind exactly what a run then does, and nothing that is left", async () => {
    await writeInline("due", 30, NOW - 7 * MINUTE, NOW - 8 * MINUTE);
    await writeInline("lost", 9, null, NOW - 3 * MINUTE);
    await noteRemovals("old", 21, NOW - 21 * MINUTE);
    const tokens = `${NUMBERS} INSERT INTO tokens (org, id, label, permissions, created_at, created_by, expires_at)
      SELECT 'o', 'tok_' || ?1 || i, 'ci', '', 0, 's', ?3 FROM n`;
    await sql(tokens, "old", 14, NOW - 8 * 1440 * MINUTE);
    await sql(tokens, "young", 3, NOW - 6 * 1440 * MINUTE);
    const identities = `${NUMBERS} INSERT INTO used_identities (org, trust, digest, token_id, used_at, forget_at) SELECT 'o', 't', ?1 || i, 'tok', 0, ?3 FROM n`;
    await sql(identities, "old", 5_017, NOW - MINUTE);
    await sql(identities, "young", 2, NOW + 1);
    await append("counted-log", 33, { at: NOW - 90_000 });
    const counted = async () => {
      const { scheduled } = await backlog();
      const { ciphertexts_put, ciphertexts_cleared, ciphertexts_removed, tokens_forgotten, identities_forgotten, sealed, digested } = scheduled;
      const rows = [ciphertexts_put, ciphertexts_cleared, ciphertexts_removed, tokens_forgotten, identities_forgotten].map(({ rows }) => rows);
      return [...rows, sealed.events, digested.events];
    };
    const before = await counted();
    const done = await settleCiphertexts({ db: env.DB, kv: KV, now });
    const forgotten = [await forgetExpiredTokens({ db: env.DB, now }), await forgetIdentities({ db: env.DB, now })];
    const { logKeys, keyring } = await loadConfig(env);
    const { events } = await sealLog({ db: env.DB, logKeys, keyring, now, registry: NO_REGISTRY });
    const digested = await digestLog({ db: env.DB, now });
    const did = [done.put, done.cleared, done.removed, ...forgotten, events, digested];
    expect(before.slice(0, 5)).toEqual([9, 30, 21, 14, 5_017]);
    expect(did).toEqual([9, 30, 21, 14, 5_000, ...before.slice(5)]);
    expect(await counted(), "what one run does not get done is still counted").toEqual([0, 0, 0, 0, 17, 0, 0]);
  });

  it("has a number for the work of each job, but for those that are done with all there is in each run", async () => {
    const { scheduled } = await backlog();
    // Of the ciphertexts there are three numbers. What is not encrypted yet is `legacy_plaintext`; the looks at seals and values and the inventory go round without an end. Whoever has a webhook sees what waits for it.
    const numbers = [...Object.keys(scheduled).filter((name) => !name.startsWith("ciphertexts_")), "ciphertexts"];
    const unnumbered = Object.keys(JOBS).filter((job) => !numbers.includes(job));
    expect(unnumbered.sort()).toEqual([
      "backlog",
      "changes_forgotten",
      "encrypted",
      "heads",
      "inventory",
      "registered",
      "rows",
      "thinned",
      "values",
      "webhooks_queued",
      "webhooks_sent",
    ]);
    expect(numbers.filter((name) => !Object.hasOwn(JOBS, name))).toEqual([]);
  });

  it("says for how many days there is room, once a day is known in which the database has grown", async () => {
    const { database_bytes: bytes, database_days_left } = await backlog();
    expect(database_days_left).toBeNull();
    await sql("INSERT INTO database_sizes (hour, at, bytes) VALUES (1, ?, ?)", NOW - 23 * 60 * MINUTE, bytes - 100_000);
    expect((await backlog()).database_days_left, "less than a day").toBeNull();
    await sql("INSERT INTO database_sizes (hour, at, bytes) VALUES (0, ?, ?)", NOW - 24 * 60 * MINUTE, bytes - 100_000);
    expect((await backlog()).database_days_left).toBe(Math.floor((10_000_000_000 - bytes) / 100_000));
    await sql("UPDATE database_sizes SET bytes = ?", bytes + 1);
    expect((await backlog()).database_days_left, "it has shrunk").toBeNull();
    expect(daysLeft({ at: 86_400_000, bytes: 12_000_000_000 }, { at: 0, bytes: 1 }), "it is full").toBe(0);
  });

  it("is told that by runs, which note the size once an hour and for little more than a day", async () => {
    await sql("DELETE FROM audit_statements");
    for (let minutes = 0; minutes < 30 * 60; minutes += 30)
      await sql("INSERT OR IGNORE INTO database_sizes (hour, at, bytes) VALUES (?, ?, 1)", minutes, NOW - minutes * MINUTE);
    for (const minutes of [1, 2, 61]) await runScheduled(env as never, new Date(NOW + minutes * MINUTE), STILL);
    expect(await countOf("database_sizes WHERE at > ?", NOW)).toBe(2);
    expect(await countOf("database_sizes WHERE at < ?", NOW - 25 * 60 * MINUTE)).toBe(0);
  });
});

describe("the look at values", () => {
  const scrub = async () => scrubValues({ db: env.DB, kv: env.KV, keyring: (await loadConfig(env)).keyring, now });
  const token = { org: "scrubbed" };
  const listed = async () => (await call("GET /v1/secrets?state=lost", { token })).body.secrets.map(({ name }: { name: string }) => name);
  const events = async () => (await call("GET /v1/audit?action=integrity.failed", { token })).body.events;
  /** A whole turn. */
  async function turn() {
    let [checked, lost] = [0, 0];
    for (let n = 0; n < 2; n++) ({ checked, lost } = await scrub());
    return { checked, lost };
  }

  it("finds those that are gone or do not open, says so once, and forgets those that are well again", async () => {
    const values: Record<string, { kv_key: string; text: string }> = {};
    for (const name of ["GONE", "BENT", "WELL"]) {
      await put("global", name, name, { token });
      const where = "FROM versions v JOIN secrets s ON s.id = v.secret_id WHERE s.org = 'scrubbed' AND s.name = ?";
      const row = await env.DB.prepare(`SELECT v.kv_key, v.ciphertext AS text ${where}`).bind(name).first<{ kv_key: string; text: string }>();
      if (row) values[name] = row;
    }
    for (const { kv_key, text } of Object.values(values)) await env.KV.put(kv_key, text);
    await sql("UPDATE versions SET ciphertext = NULL, kv_put_at = 1 WHERE org = 'scrubbed'");
    await sql("DELETE FROM integrity_marks");
    await turn();
    expect(await listed()).toEqual([]);
    await env.KV.delete(values.GONE?.kv_key ?? "");
    await env.KV.put(values.BENT?.kv_key ?? "", values.WELL?.text ?? "");
    await turn();
    expect(await listed()).toEqual(["BENT", "GONE"]);
    expect((await call("GET /readyz", { token })).body.backlog.lost_values).toBe(2);
    await turn();
    const found = (await events()).map(({ target, outcome, secrets }: { target: string; outcome: string; secrets: { name: string }[] }) => [
      target,
      outcome,
      secrets[0]?.name,
    ]);
    expect(found.sort()).toEqual([
      ["value:does-not-open", "failed", "BENT"],
      ["value:not-there", "failed", "GONE"],
    ]);
    await env.KV.put(values.BENT?.kv_key ?? "", values.BENT?.text ?? "");
    await turn();
    expect(await listed()).toEqual(["GONE"]);
    await call(`DELETE ${at("global", "GONE")}?purge=true`, { token });
    expect([await listed(), await countOf("lost_values")]).toEqual([[], 0]);
  });
});

describe("a part of the database that cannot be read", () => {
  it.each(["D1_ERROR: database disk image is malformed: SQLITE_CORRUPT", "internal error; reference = abc"])(
    "is 503 on /readyz once two runs in a row came upon it, until one comes through (%s)",
    async (message) => {
      const run = (failure?: string) => {
        const batch = env.DB.batch.bind(env.DB);
        const spy = vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
          // The look at seals is the first to read how far it has come.
          if (failure && JSON.stringify(statements).includes("integrity_marks")) throw new Error(failure);
          return batch(statements);
        });
        return runScheduled(env, new Date(), STILL).then(
          () => spy.mockRestore(),
          () => spy.mockRestore(),
        );
      };
      const ready = async () => {
        const { status, body } = await call("GET /readyz");
        return [status, ...body.unusable];
      };
      vi.useFakeTimers({ toFake: ["Date"], now: NOW });
      try {
        for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockReturnValue();
        await run();
        for (const failure of ["D1_ERROR: too many requests queued", "D1_ERROR: too many requests queued", message]) await run(failure);
        expect(await ready(), "once may be the platform's own trouble").toEqual([200]);
        await run(message);
        expect(await ready()).toEqual([503, { part: "d1" }]);
        await run();
        expect(await ready()).toEqual([200]);
      } finally {
        vi.restoreAllMocks();
        vi.useRealTimers();
      }
    },
  );
});
