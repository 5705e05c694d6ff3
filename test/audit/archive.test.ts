import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { markArchived } from "../../src/worker/audit/archives.ts";
import { loadConfig } from "../../src/worker/config.ts";
import { checkRows } from "../../src/worker/keys/check-rows.ts";
import { digestLog } from "../../src/worker/log/digest-log.ts";
import { isArchiveWhole } from "../../src/worker/log/is-archive-whole.ts";
import { nameLog } from "../../src/worker/log/registry.ts";
import { call, put } from "../support/call.ts";
import { archive, archiveAll, archivesOf, count, DUE, makeLog, readAll, stream } from "./archive-support.ts";
import { forgetLogs } from "./forget-logs.ts";
import { append, appendMany, DAY, dropTriggers, exported, MINUTE, manySecrets, START, seal, sql, verified, verifiedOffline } from "./support.ts";

beforeEach(forgetLogs);
afterEach(() => vi.restoreAllMocks());

/** What of a log everybody sees. */
async function seen(org: string) {
  const { checkpoints, head, events } = await exported(org);
  return { events: await readAll(org), streamed: events, checkpoints, head, verified: await verified(org), offline: await verifiedOffline(org) };
}

describe("sealed events that are old enough", () => {
  it("leave D1 for KV, and nobody sees a difference", async () => {
    await makeLog("moved", [0, 0.2, 0.4, 5, 5, 29, 30]);
    await append("moved", 1, { at: START + 30 * DAY });
    const before = await seen("moved");
    expect(before.verified).toEqual({ ok: true, checked: 14, unsealed: 1, first_bad: null });
    await archiveAll();
    expect(await archivesOf("moved")).toMatchObject([
      { first_number: 1, last_number: 3, first_seq: 1, last_seq: 6, others: 6 },
      { first_number: 4, last_number: 5, first_seq: 7, last_seq: 10 },
    ]);
    expect([await count("audit_events", "moved"), await count("audit_checkpoints", "moved")]).toEqual([5, 2]);
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM audit_by_secret WHERE org = 'moved' AND seq <= 10").first("n")).toBe(0);
    expect(await seen("moved")).toEqual(before);
  });

  it("are read in pages of any length across the border, and with every filter", async () => {
    await makeLog("across", [0, 2, 4, 6, 29]);
    await makeLog("across", [29, 30], { action: "secret.resolve" });
    const all = await readAll("across");
    const filters = ["action=secret.resolve", "action=secret.update", "actor=actor-1", "secret_id=sec_1", "secret_id=sec_2&actor=actor-0", "outcome=denied"];
    const times = [2, 3, 6, 29].flatMap((day) => ["since", "until"].map((side) => `${side}=${new Date(START + day * DAY).toISOString()}`));
    const queries = ["", ...filters, ...times, `secret_id=sec_1&${times[0]}`];
    const expected = await Promise.all(queries.map((query) => readAll("across", query)));
    await archiveAll();
    expect(await count("audit_archives", "across")).toBe(4);
    for (const limit of [1, 2, 3, 5, 9]) expect(await readAll("across", `limit=${limit}`)).toEqual(all);
    for (const [n, query] of queries.entries()) {
      expect(await readAll("across", `${query}&limit=3`), query).toEqual(expected[n]);
      expect(await stream("across", query), query).toEqual(expected[n]?.toReversed());
    }
    const limited = await call("GET /v1/audit", { token: { org: "across", secret_names: ["NAME_1"] } });
    expect(limited.body.events).toEqual(all.filter(({ secrets }) => secrets.some(({ name }) => name === "NAME_1")));
  });

  it("have their lists of secrets with them, wherever those are", async () => {
    const { id } = (await put("team:t", "LISTED", "v", { token: { org: "listing" } })).body;
    const secrets = [...manySecrets("listed"), { id, name: "LISTED", scope: "builtin", version: 1 }];
    await appendMany("listed", secrets);
    await makeLog("listed", [0, 30]);
    expect(await env.DB.prepare("SELECT last_resolved_at FROM secrets WHERE id = ?").bind(id).first("last_resolved_at")).toBe(START);
    const named = async () => [await readAll("listed", `secret_id=${id}`), await stream("listed", `secret_id=${id}`)];
    const [found, before] = [await named(), await seen("listed")];
    expect(found.map((events) => events.map(({ seq, secrets }) => [seq, secrets]))).toEqual(Array(2).fill([[1, secrets]]));
    expect([before.verified, before.offline]).toEqual(Array(2).fill({ ok: true, checked: 5, unsealed: 1, first_bad: null }));
    await archiveAll();
    expect([await count("audit_events", "listed"), await count("audit_lists", "listed"), await count("audit_archive_secrets", "listed")]).toEqual([3, 0, 503]);
    expect([await seen("listed"), await named()]).toEqual([before, found]);
  });

  it("show nothing of themselves in KV, neither by name nor by content", async () => {
    await makeLog("hidden-org", [0, 30]);
    await archiveAll();
    const [{ kv_key = "" } = {}] = await archivesOf("hidden-org");
    expect(kv_key).toMatch(/^a_[0-9a-f]{32}$/);
    expect(await env.KV.get(kv_key)).toMatch(/^v2:[\w-]{16}:[\w-]{22}:[\w-]+$/);
  });

  it("wait for a day of them, for the digest, and never go with the end of a log", async () => {
    await makeLog("young", [22.5, 22.6, 29]);
    expect(await archive(0), "not a day of them").toEqual({ put: 0, archived: 0, dropped: 0, refused: 0 });
    await makeLog("end", [0]);
    expect((await archive(0)).put, "the end").toBe(0);
    await append("undigested", 2, { at: START });
    await seal();
    await append("undigested", 2, { at: START + 30 * DAY });
    await seal();
    expect((await archive(0)).put, "the digest has not gone through it").toBe(0);
    await digestLog({ db: env.DB, now: new Date(DUE) });
    expect((await archive(0)).put).toBe(2);
  });

  it("stay as long as something on record names their checkpoint as the last", async () => {
    await makeLog("recorded", [0, 30]);
    const { keyring } = await loadConfig(env);
    const name = await nameLog(keyring, keyring.current, "recorded");
    const entry = (number: number) => ({ ...(name ?? { key: "", log: "" }), generation: 1, number, checkpoint: null, last_seq: 2 * number, removed_to: 0 });
    const registry = (number: number) => ({ newestAt: DUE, fullAt: DUE, refused: 0, entries: new Map([[`${name?.key}:${name?.log}`, entry(number)]]) });
    expect((await archive(0, { registry: registry(1) })).put).toBe(0);
    expect((await archive(0, { registry: registry(2) })).refused, "the head is another one").toBe(1);
    expect((await archive(0, { registry: undefined })).put).toBe(0);
  });

  it("are not moved where the log is not what was signed, and hold up no other log", async () => {
    await makeLog("a-bent", [0, 2, 30]);
    await makeLog("b-good", [0, 30]);
    await sql("DROP TRIGGER audit_events_unchangeable");
    await sql("UPDATE audit_events SET actor = 'x' WHERE org = 'a-bent' AND seq = 2");
    expect(await archive(0)).toMatchObject({ put: 2, refused: 1 });
    expect((await call("GET /readyz")).body.backlog.audit_logs).toBe(1);
    expect(await archive(6)).toMatchObject({ archived: 2, refused: 0 });
    expect(await count("audit_events", "a-bent")).toBe(6);
  });

  it("are bounded by what one object holds", async () => {
    await append("busy", 9_000, { at: START });
    await seal();
    for (let n = 0; n < 5; n++) await digestLog({ db: env.DB, now: new Date(DUE) });
    await archiveAll();
    expect((await archivesOf("busy")).map(({ first_seq, last_seq }) => [first_seq, last_seq])).toEqual([[1, 8_000]]);
    expect(await verified("busy")).toMatchObject({ ok: true, checked: 9_000 });
    expect((await stream("busy")).map(({ seq }) => seq)).toEqual(Array.from({ length: 9_000 }, (_, n) => n + 1));
  });
});

describe("nothing leaves D1 that is not in KV:", () => {
  const make = async (org: string) => {
    await makeLog(org, [0, 2, 30]);
    return readAll(org);
  };

  it("before it has been there for more than five minutes", async () => {
    await make("waiting");
    expect(await archive(0)).toMatchObject({ put: 4 });
    expect(await archive(5)).toMatchObject({ archived: 0, put: 0 });
    expect(await count("audit_events", "waiting")).toBe(6);
    expect(await archive(6)).toMatchObject({ archived: 4 });
  });

  it.each<[string, (text: string) => string | null, number]>([
    ["is not there", () => null, 60],
    ["comes back different", (text) => text.replace(/.$/, (last) => (last === "A" ? "B" : "A")), 6],
    ["comes back as something else", () => "nothing", 6],
  ])("when it %s it is begun again, under another key", async (_, change, minutes) => {
    const org = `change-${minutes}-${change("AA")}`;
    const events = await make(org);
    await archive(0);
    const [{ kv_key = "" } = {}] = await archivesOf(org);
    const stored = (await env.KV.get(kv_key)) ?? "";
    vi.spyOn(env.KV, "get").mockImplementation((async () => change(stored)) as never);
    expect(await archive(6)).toMatchObject({ archived: 0 });
    const { dropped } = minutes > 6 ? await archive(minutes) : { dropped: 1 };
    expect(dropped).toBe(1);
    vi.restoreAllMocks();
    expect(await count("audit_events", org)).toBe(6);
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM kv_removals WHERE kv_key = ?").bind(kv_key).first("n")).toBe(1);
    await archiveAll(minutes + 1);
    expect((await archivesOf(org)).map((row) => row.kv_key)).not.toContain(kv_key);
    expect([await count("audit_events", org), await readAll(org)]).toEqual([2, events]);
  });

  it("of what was changed in D1 after it was put, both stay", async () => {
    await make("evidence");
    await archive(0);
    await sql("DROP TRIGGER IF EXISTS audit_events_unchangeable");
    await sql("UPDATE audit_events SET actor = 'x' WHERE org = 'evidence' AND seq = 2");
    expect(await archive(6)).toMatchObject({ archived: 0, dropped: 0, refused: 1 });
    expect([await count("audit_events", "evidence"), (await archivesOf("evidence")).length]).toEqual([6, 2]);
    expect(await verified("evidence")).toMatchObject({ ok: false, first_bad: 2 });
  });

  it("nor of what was taken from D1 after it was put", async () => {
    await make("taken");
    await archive(0);
    await dropTriggers();
    await sql("DELETE FROM audit_events WHERE org = 'taken' AND seq <= 2");
    await sql("DELETE FROM audit_checkpoints WHERE org = 'taken' AND number = 1");
    await sql("UPDATE audit_archives SET kv_put_at = NULL WHERE org = 'taken'");
    expect(await archive(60)).toMatchObject({ archived: 0, dropped: 0, refused: 1 });
    expect(await archivesOf("taken")).toHaveLength(2);
  });
});

describe("the triggers", () => {
  it.each([
    ["an event that is on its way", "DELETE FROM audit_events WHERE org = 'kept-2' AND seq = 1"],
    ["a checkpoint that is on its way", "DELETE FROM audit_checkpoints WHERE org = 'kept-2' AND number = 1"],
    ["an event that is not archived", "DELETE FROM audit_events WHERE org = 'kept' AND seq = 3"],
    ["a checkpoint that is not archived", "DELETE FROM audit_checkpoints WHERE org = 'kept' AND number = 2"],
    ["an archive from being removed", "DELETE FROM audit_archives WHERE org = 'kept'"],
    ["an archive from being changed", "UPDATE audit_archives SET last_seq = 99 WHERE org = 'kept'"],
    ["an archive from being taken back", "UPDATE audit_archives SET archived_at = NULL WHERE org = 'kept'"],
    ["an archive from being replaced", "INSERT OR REPLACE INTO audit_archives SELECT * FROM audit_archives WHERE org = 'kept'"],
  ])("keep %s", async (_, statement) => {
    await makeLog("kept", [0, 30]);
    await makeLog("kept-2", [0, 30]);
    await noteArchives();
    await expect(sql(statement)).rejects.toThrow(/can|stays/);
  });

  /** One log is archived, and another is on its way. */
  async function noteArchives(): Promise<void> {
    for (const [org, archived] of [
      ["kept", true],
      ["kept-2", false],
    ] as const) {
      const row = { org, first_number: 1, kv_key: `a_${org}` };
      await sql(
        `INSERT INTO audit_archives (org, first_number, last_number, first_seq, last_seq, first_at, last_at, others, kv_key, key_id, wrapped_key, created_at, kv_put_at)
         VALUES (?, 1, 1, 1, 2, 0, 0, 2, ?, 'k', 'w', 0, 1)`,
        org,
        row.kv_key,
      );
      if (archived) await markArchived(env.DB, row, 2).run();
    }
  }
});

describe("where an archive is tampered with", () => {
  const make = async (org: string) => {
    await makeLog(org, [0, 2, 4, 30]);
    await archiveAll();
    await dropTriggers();
    return archivesOf(org);
  };

  it.each<[string, string, number]>([
    ["its row is taken away", "DELETE FROM audit_archives WHERE org = ?1 AND first_number = 2", 3],
    ["the first row is taken away", "DELETE FROM audit_archives WHERE org = ?1 AND first_number = 1", 1],
    ["its row is changed", "UPDATE audit_archives SET last_at = 0 WHERE org = ?1 AND first_number = 2", 3],
    [
      "its key is another one",
      "UPDATE audit_archives SET wrapped_key = (SELECT wrapped_key FROM audit_archives WHERE org = ?1 AND first_number = 1) WHERE org = ?1 AND first_number = 2",
      3,
    ],
  ])("%s, that is found", async (what, statement, firstBad) => {
    const org = `tampered-${what.length}-${firstBad}`;
    await make(org);
    await sql(statement, org);
    expect(await verified(org)).toMatchObject({ ok: false, first_bad: firstBad, reason: "changed" });
  });

  it("its object is taken away, that is found, and a read is refused instead of showing less", async () => {
    const [, second] = await make("gone");
    await env.KV.delete(second?.kv_key ?? "");
    expect(await verified("gone")).toMatchObject({ ok: false, first_bad: 3 });
    expect((await call("GET /v1/audit?limit=200", { token: { org: "gone" } })).body.code).toBe("storage-unavailable");
  });

  it("its object is another one, that is found, and a read is refused", async () => {
    const [first, second] = await make("swapped");
    await env.KV.put(second?.kv_key ?? "", (await env.KV.get(first?.kv_key ?? "")) ?? "");
    expect(await verified("swapped")).toMatchObject({ ok: false, first_bad: 3 });
    expect((await call("GET /v1/audit?limit=200", { token: { org: "swapped" } })).body.code).toBe("integrity-failed");
  });

  it("its object is another one, the alarm stays until it is the right one again", async () => {
    const [first, second] = await make("alarmed");
    const right = (await env.KV.get(second?.kv_key ?? "")) ?? "";
    await env.KV.put(second?.kv_key ?? "", (await env.KV.get(first?.kv_key ?? "")) ?? "");
    await call("GET /v1/audit?limit=200", { token: { org: "alarmed" } });
    const { keyring } = await loadConfig(env);
    const check = () =>
      checkRows({
        db: env.DB,
        keyring,
        now: new Date(DUE),
        isWhole: ({ org, key }) => isArchiveWhole({ db: env.DB, kv: env.KV, keyring }, org, Number(key[1])),
      });
    const alarms = () => sql("SELECT 1 FROM integrity_failures WHERE org = 'alarmed'").then(({ results }) => results.length);
    for (let n = 0; n < 2; n++) await check();
    expect(await alarms()).toBe(1);
    await env.KV.put(second?.kv_key ?? "", right);
    await check();
    expect(await alarms()).toBe(0);
  });
});

it("logs that are accused for good hold up no other", async () => {
  const accused = Array.from({ length: 11 }, (_, n) => `a-${n}`);
  for (const org of [...accused, "z-honest"]) await makeLog(org, [0, 30]);
  expect(await archive(0, { accused: new Set(accused) })).toMatchObject({ put: 2 });
  expect((await archivesOf("z-honest")).length).toBe(1);
  for (const org of accused) expect(await archivesOf(org)).toEqual([]);
});

describe("reads of the log", () => {
  it("open no more archives than they show, and none that was written outside of the times asked for", async () => {
    await makeLog("few-reads", [...Array.from({ length: 12 }, (_, n) => 1.5 * n), 30]);
    await archiveAll();
    const get = vi.spyOn(env.KV, "get");
    const reads = async (query: string) => {
      get.mockClear();
      await call(`GET /v1/audit?${query}`, { token: { org: "few-reads" } });
      return get.mock.calls.length;
    };
    expect(await reads("limit=2")).toBe(0);
    expect(await reads("limit=4")).toBe(1);
    expect(await reads(`since=${new Date(START + 15 * DAY).toISOString()}&until=${new Date(START + 15.2 * DAY).toISOString()}`)).toBe(1);
  });

  it("of one call are of at most 50 archives, and the page may be short", async () => {
    await makeLog("many", [...Array.from({ length: 53 }, (_, n) => n * 1.001 - 40), 30]);
    await archiveAll();
    expect(await count("audit_archives", "many")).toBe(53);
    const get = vi.spyOn(env.KV, "get");
    const { body } = await call("GET /v1/audit?actor=nobody", { token: { org: "many" } });
    expect([body.events, typeof body.next_cursor]).toEqual([[], "string"]);
    // The first by itself, then eight at once, in two reads; the last one is left alone.
    expect(get.mock.calls.length).toBe(1 + 6 * 2 + 1);
    expect(await readAll("many", "actor=nobody")).toEqual([]);
    expect(await readAll("many")).toHaveLength(108);
    const all = (await stream("many")).map(({ seq }) => seq);
    for (const after of [0, 1, 40, 101, 108, 200]) expect((await stream("many", `after=${after}`)).map(({ seq }) => seq)).toEqual(all.slice(after));
  });

  it("see everything once while it moves", async () => {
    await makeLog("moving", [0, 2, 4, 6, 30]);
    const all = await readAll("moving");
    for (let minutes = 0; minutes < 40; minutes += 2) {
      const [read, streamed, checked] = await Promise.all([readAll("moving", "limit=2"), stream("moving"), verified("moving"), archive(minutes)]);
      expect([read, streamed, checked.ok]).toEqual([all, all.toReversed(), true]);
    }
    expect(await count("audit_archives", "moving")).toBe(4);
  });
});

it("a clock some minutes off does no harm", async () => {
  await makeLog("clock", [0, 2, 30]);
  const all = await readAll("clock");
  for (const minutes of [0, 10, 3, -MINUTE, 20, 0, 40]) await archive(minutes);
  expect(await readAll("clock")).toEqual(all);
});
