import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/worker/config.ts";
import { NO_REGISTRY } from "../../src/worker/log/registry.ts";
import { removeOldEvents } from "../../src/worker/log/remove-old-events.ts";
import { call } from "../support/call.ts";
import { append, DAY, MINUTE, START, seal, sql, verified, verifiedOffline } from "./support.ts";

const remove = async (days: number) => {
  const { logKeys, keyring } = await loadConfig(env);
  return removeOldEvents({ db: env.DB, kv: env.KV, keyring, logKeys, registry: NO_REGISTRY, retentionDays: 30, now: new Date(START + days * DAY) });
};
const seqsOf = (org: string) =>
  env.DB.prepare("SELECT seq FROM audit_events WHERE org = ? ORDER BY seq")
    .bind(org)
    .all<{ seq: number }>()
    .then(({ results }) => results.map(({ seq }) => seq));

/** A log of sealed stretches, each of two events on one day. */
async function makeLog(org: string, days: readonly number[]): Promise<void> {
  for (const day of days) {
    await append(org, 2, { at: START + day * DAY });
    await seal();
  }
}

// The logs of the tests before have no head, so nothing of them is removed.
beforeEach(() => env.DB.batch([env.DB.prepare("DELETE FROM audit_heads"), env.DB.prepare("DELETE FROM audit_marks WHERE failed = 1")]));

describe("retention", () => {
  it("removes whole stretches that are old enough with their checkpoints, and the rest verifies", async () => {
    await makeLog("kept", [0, 1, 2, 3]);
    expect(await remove(29)).toEqual({ events: 0, refused: 0 });
    expect(await remove(31.5)).toEqual({ events: 4, refused: 0 });
    expect(await seqsOf("kept"), "what is left, and the removal itself").toEqual([5, 6, 7, 8, 9]);
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM audit_checkpoints WHERE org = 'kept'").first("n")).toBe(2);
    expect(await verified("kept")).toEqual({ ok: true, checked: 4, unsealed: 1, first_bad: null });
    expect(await verifiedOffline("kept")).toEqual(await verified("kept"));
  });

  it("removes no event that is too young for it, nor one that is not sealed", async () => {
    await makeLog("mixed", [0]);
    await append("mixed", 1, { at: START });
    await append("mixed", 1, { at: START + 20 * DAY });
    await seal();
    await append("mixed", 2, { at: START });
    expect((await remove(40)).events).toBe(2);
    expect(await seqsOf("mixed")).toEqual([3, 4, 5, 6, 7]);
  });

  it("keeps the end of a log, so that numbers go on", async () => {
    await makeLog("end", [0, 0]);
    expect((await remove(1_000)).events).toBe(2);
    expect(await seqsOf("end")).toEqual([3, 4, 5]);
    await append("end", 1);
    expect(await seqsOf("end")).toEqual([3, 4, 5, 6]);
  });

  it("of all that is sealed leaves the last checkpoint, and the log goes on from there", async () => {
    await makeLog("goes-on", [0, 0]);
    await append("goes-on", 1, { at: START });
    expect((await remove(40)).events).toBe(4);
    for (const checked of [2, 3]) {
      await seal();
      for (const found of [await verified("goes-on"), await verifiedOffline("goes-on")]) expect(found).toMatchObject({ ok: true, checked, unsealed: 0 });
      await append("goes-on", 1, { at: START });
    }
    expect((await remove(80)).events).toBe(3);
    expect(await verified("goes-on")).toMatchObject({ ok: true, checked: 0, unsealed: 2 });
  });

  it("says in the log itself what it removed, once for each run and log", async () => {
    await makeLog("noted", [0, 1, 2, 50]);
    await remove(60);
    const { body } = await call("GET /v1/audit?action=audit.retention", { token: { org: "noted" } });
    expect(body.events).toMatchObject([{ seq: 9, actor: "keyhole:scheduled", outcome: "allowed", target: "removed:1:6" }]);
  });

  it("comes to rest in a log in which nothing else happens", async () => {
    await makeLog("idle", [0, 1]);
    let removed = 0;
    for (let days = 40; days < 400; days += 10) {
      removed += (await remove(days)).events;
      await seal();
    }
    expect(removed, "the four events, and not the events of their own removal one after the other").toBe(4);
    expect(await seqsOf("idle")).toEqual([5, 6]);
    await makeLog("idle", [300, 301]);
    expect((await remove(1_000)).events, "with what has happened since they go too").toBe(4);
  });

  it("removes nothing that is younger than a day, whatever it is told", async () => {
    const { logKeys, keyring } = await loadConfig(env);
    await makeLog("young", [0, 0.5]);
    const { events } = await removeOldEvents({
      db: env.DB,
      kv: env.KV,
      keyring,
      logKeys,
      registry: NO_REGISTRY,
      retentionDays: 0,
      now: new Date(START + 0.9 * DAY),
    });
    expect([events, await seqsOf("young")]).toEqual([0, [1, 2, 3, 4]]);
  });

  it("takes what the index by secret says of the events away with them", async () => {
    await makeLog("index", [0, 50]);
    await sql("INSERT INTO audit_by_secret VALUES ('index', 'sec_1', 1), ('index', 'sec_1', 3)");
    await remove(60);
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM audit_by_secret WHERE org = 'index'").first("n")).toBe(1);
  });

  it("goes on until all is removed, and two at once do no harm", async () => {
    await makeLog(
      "bounded",
      Array.from({ length: 9 }, () => 0),
    );
    const [a, b] = await Promise.all([remove(100), remove(100)]);
    const { events } = await remove(100);
    expect(a.events + b.events + events, "what was the end is not any more, after the event of the first removal").toBe(18);
    expect(await seqsOf("bounded")).toEqual([19, 20]);
    expect(await verified("bounded")).toMatchObject({ ok: true, checked: 0, unsealed: 2 });
  });

  it("keeps a verification that runs beside it from a false alarm", async () => {
    await makeLog("beside", [0, 0, 0, 50]);
    const [during] = await Promise.all([verified("beside"), remove(60)]);
    expect(during).toMatchObject({ ok: true, first_bad: null });
  });

  it("is not led to remove what is young by a checkpoint that was changed, and holds up no other log", async () => {
    await makeLog("a-led", [40, 41]);
    await makeLog("b-honest", [0, 41]);
    await sql("DROP TRIGGER audit_checkpoints_unchangeable");
    await sql("UPDATE audit_checkpoints SET last_at = 0 WHERE org = 'a-led'");
    expect(await remove(45)).toEqual({ events: 2, refused: 1 });
    expect(await seqsOf("a-led")).toEqual([1, 2, 3, 4]);
    expect(await seqsOf("b-honest")).toEqual([3, 4, 5]);
    expect((await call("GET /readyz")).body.backlog.audit_logs).toBeGreaterThan(0);
    expect(await remove(45), "it is left alone for an hour").toEqual({ events: 0, refused: 0 });
    expect(await remove(45 + (61 * MINUTE) / DAY)).toEqual({ events: 0, refused: 1 });
  });

  it("keeps a stretch that was tampered with, as evidence", async () => {
    await makeLog("evidence", [0, 50]);
    await sql("DROP TRIGGER audit_events_unchangeable");
    await sql("UPDATE audit_events SET actor = 'x' WHERE org = 'evidence' AND seq = 2");
    expect((await remove(60)).events).toBe(0);
    expect(await verified("evidence")).toMatchObject({ ok: false, first_bad: 2 });
  });

  it("does not hide what is put where it has removed something", async () => {
    await makeLog("refilled", [0, 50]);
    await remove(60);
    await sql("DROP TRIGGER audit_events_appended");
    await sql(
      "INSERT INTO audit_events SELECT org, 1, at, actor, token_id, action, outcome, secrets, target, request_id, ip, user_agent, version, finer_outcome, lease, secrets_total, issuer FROM audit_events WHERE org = 'refilled' AND seq = 3",
    );
    expect(await verified("refilled")).toMatchObject({ ok: false, first_bad: 1 });
    expect(await verifiedOffline("refilled")).toMatchObject({ ok: false, first_bad: 1 });
  });
});
