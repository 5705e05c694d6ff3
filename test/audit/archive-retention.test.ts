import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { verifyExport } from "../../scripts/verify-export.ts";
import { replaceHead } from "../../src/worker/audit/heads.ts";
import { loadConfig } from "../../src/worker/config.ts";
import { signHead } from "../../src/worker/log/log-head.ts";
import { settleCiphertexts } from "../../src/worker/secrets/settle-ciphertexts.ts";
import { call } from "../support/call.ts";
import { archive, archiveAll, archivesOf, count, DUE, makeLog, readAll, remove, stream } from "./archive-support.ts";
import { forgetLogs } from "./forget-logs.ts";
import { append, DAY, dropTriggers, exported, START, seal, sql, verified, verifiedOffline } from "./support.ts";

beforeEach(forgetLogs);

describe("retention of what is archived", () => {
  it("takes row, key and index at once, and the rest verifies from there on", async () => {
    await makeLog("old", [0, 2, 4, 29, 30]);
    await archiveAll();
    const [first] = await archivesOf("old");
    expect(await remove(61.5)).toEqual({ events: 2, refused: 0 });
    expect((await archivesOf("old")).map(({ first_number }) => first_number)).toEqual([2, 3]);
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM audit_archive_secrets WHERE org = 'old' AND first_number = 1").first("n")).toBe(0);
    expect((await readAll("old")).map(({ seq }) => seq)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3]);
    expect((await stream("old")).map(({ seq }) => seq)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect((await call("GET /v1/audit?action=audit.retention", { token: { org: "old" } })).body.events).toMatchObject([{ target: "removed:1:2" }]);
    expect(await verified("old")).toEqual({ ok: true, checked: 8, unsealed: 2, first_bad: null });
    expect(await verifiedOffline("old")).toEqual(await verified("old"));
    expect(await env.KV.get(first?.kv_key ?? ""), "what is nothing without its key").not.toBeNull();
  });

  it("removes the object from KV when D1 cannot be set back to a time before any more", async () => {
    await makeLog("later", [0, 2, 30]);
    await archiveAll();
    const [{ kv_key = "" } = {}] = await archivesOf("later");
    await remove(61.5);
    const settle = (days: number) => settleCiphertexts({ db: env.DB, kv: env.KV, now: new Date(START + days * DAY) });
    await settle(61.5 + 30);
    expect(await env.KV.get(kv_key)).not.toBeNull();
    await settle(61.5 + 30.1);
    expect([await env.KV.get(kv_key), await env.DB.prepare("SELECT COUNT(*) AS n FROM kv_removals").first("n")]).toEqual([null, 0]);
  });

  it("goes on in the next run with what is left in D1, and two at once do no harm", async () => {
    await makeLog("bounded", [...Array.from({ length: 7 }, (_, n) => 1.5 * n), 28, 29, 30]);
    await archiveAll();
    expect((await remove(200)).events).toBe(14);
    await Promise.all([remove(200), remove(200)]);
    expect(await count("audit_archives", "bounded")).toBe(0);
    expect(await count("audit_checkpoints", "bounded"), "the end").toBe(1);
    await seal();
    expect(await remove(200), "nothing is left but events of retention itself").toEqual({ events: 0, refused: 0 });
    expect(await verified("bounded")).toMatchObject({ ok: true, first_bad: null });
    expect(await verifiedOffline("bounded")).toMatchObject({ ok: true, first_bad: null });
  });

  it("of what is on its way there gives that up", async () => {
    await makeLog("on-its-way", [0, 2, 30]);
    await archive(0);
    await archive(1);
    expect(await count("audit_archives", "on-its-way")).toBe(2);
    expect((await remove(70)).events).toBe(4);
    expect(await count("audit_archives", "on-its-way")).toBe(0);
    await archive(6);
    expect(await verified("on-its-way")).toMatchObject({ ok: true });
  });

  it("keeps what is not what was signed, as evidence", async () => {
    await makeLog("evidence", [0, 2, 30]);
    await archiveAll();
    const [first] = await archivesOf("evidence");
    const object = (await env.KV.get(first?.kv_key ?? "")) ?? "";
    await env.KV.put(first?.kv_key ?? "", "something else");
    expect(await remove(70)).toEqual({ events: 0, refused: 1 });
    await env.KV.put(first?.kv_key ?? "", object);
    expect(await remove(70.1)).toMatchObject({ events: 4 });
  });

  it("comes to rest in a log in which nothing else happens", async () => {
    await makeLog("idle", [0, 1.5, 30]);
    await archiveAll();
    let removed = 0;
    for (let days = 70; days < 1_000; days += 70) {
      removed += (await remove(days)).events;
      await seal();
      await archiveAll((days - 30) * 24 * 60);
    }
    expect(removed, "the six events, and not the events of their own removal one after the other").toBe(6);
  });

  it("does not hide what is put where it has removed something", async () => {
    await makeLog("refilled", [0, 2, 30]);
    await archiveAll();
    const [first] = await archivesOf("refilled");
    await remove(61.5);
    await dropTriggers();
    const columns = Object.keys(first ?? {});
    await sql(`INSERT INTO audit_archives (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`, ...Object.values(first ?? {}));
    expect(await verified("refilled")).toMatchObject({ ok: false, first_bad: 1 });
  });

  it("goes on with logs of which it once removed events only, and left their checkpoints", async () => {
    await makeLog("of-before", [0, 2, 4, 30]);
    const { head: was } = await exported("of-before");
    const payload = JSON.parse(atob((was ?? "").split(".")[1]?.replaceAll("-", "+").replaceAll("_", "/") ?? ""));
    await replaceHead(env.DB, await signHead((await loadConfig(env)).logKeys, { ...payload, removed_to: 2 }), was, DUE).run();
    await sql("DELETE FROM audit_events WHERE org = 'of-before' AND seq <= 2");
    await archiveAll();
    expect(await count("audit_checkpoints", "of-before")).toBe(2);
    const { checkpoints } = await exported("of-before");
    expect(checkpoints.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    for (const found of [await verified("of-before"), await verifiedOffline("of-before")]) expect(found).toMatchObject({ ok: true, checked: 6 });
    expect((await remove(63)).events).toBe(2);
    for (const found of [await verified("of-before"), await verifiedOffline("of-before")]) expect(found).toMatchObject({ ok: true, checked: 4 });
    expect((await exported("of-before")).checkpoints.map(({ number }) => number)).toEqual([3, 4]);
  });

  it("leaves an anchor good that was kept from before", async () => {
    await makeLog("anchored", [0, 2, 30]);
    const { body } = await call("GET /v1/audit/anchor", { token: { org: "anchored" } });
    await append("anchored", 2, { at: START + 31 * DAY });
    await seal();
    await archiveAll();
    await remove(91.5);
    await seal();
    expect(await verifyExport({ ...(await exported("anchored")), anchors: [body.anchor] })).toMatchObject({ ok: true });
  });

  it("keeps a verification that runs beside it from a false alarm", async () => {
    await makeLog("beside", [0, 2, 4, 30]);
    await archiveAll();
    const [during] = await Promise.all([verified("beside"), remove(70)]);
    expect(during).toMatchObject({ ok: true, first_bad: null });
  });
});
