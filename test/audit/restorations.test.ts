import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifyExport } from "../../scripts/verify-export.ts";
import { loadConfig } from "../../src/worker/config.ts";
import { NO_REGISTRY } from "../../src/worker/log/registry.ts";
import { removeOldEvents } from "../../src/worker/log/remove-old-events.ts";
import { requireLatest } from "../../src/worker/transaction/last-revocation.ts";
import { call } from "../support/call.ts";
import { githubTrust } from "../support/exchange.ts";
import { append, DAY, exported, sql, verified, verifiedOffline } from "./support.ts";
import { type Copy, copyOf, erase, makeWorld, NOON, restore } from "./world.ts";

const world = makeWorld();
const { run } = world;
const OPERATOR = { token: { org: "platform", sub: "ops" } };
let minute = 0;
const copies: Copy[] = [];

const found = async (org?: string) => (await call(`GET /v1/audit/restorations${org === undefined ? "" : `?org=${org}`}`, OPERATOR)).body;
const accept = (digest: string, org?: string) => call("POST /v1/audit/restorations", { ...OPERATOR, json: { digest, ...(org !== undefined && { org }) } });
const seqs = async (org: string) =>
  (await env.DB.prepare("SELECT seq FROM audit_events WHERE org = ? ORDER BY seq").bind(org).all<{ seq: number }>()).results.map(({ seq }) => seq);

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON });
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockReturnValue();
  await world.reset();
  await sql("DELETE FROM revocations");
  forgetLatest();
  copies.length = 0;
  for (minute = 0; minute < 3; minute++) {
    for (const org of ["acme", "other"]) await append(org, 2, { at: NOON });
    await run(minute);
    copies.push(await copyOf("acme", "other"));
  }
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Makes this isolate one that has seen no revocation: it remembers so many organizations and no more. */
function forgetLatest(): void {
  for (let n = 0; n <= 10_000; n++) requireLatest(`org-${n}`, 1);
}

/** D1 is as it was after the first run; since then two events have been written. */
async function setBack(): Promise<void> {
  for (const org of ["acme", "other"]) await restore(org, copies[0] as Copy);
  await append("acme", 2, { at: NOON });
  await run(minute++);
}

const LOST = { generation: 2, first_seq: 3, last_seq: 6 };

describe("a restore of the database", () => {
  it("is accepted by the operator with what it has lost; the logs go on after the numbers on record, and verify", async () => {
    await setBack();
    const { restorations, unnamed, digest } = await found();
    expect(unnamed).toBe(0);
    expect(restorations).toEqual(
      ["acme", "other"].map((org) => ({ org, generation: 2, after: 2, lost: { first_seq: 3, last_seq: 6 }, lost_revocations: null, acceptable: true })),
    );
    expect((await accept(digest)).body).toEqual({ accepted: ["acme", "other"] });
    await append("acme", 1, { at: NOON });
    for (let n = 0; n < 3; n++) expect(await run(minute++)).toBe("succeeded");
    expect(await seqs("acme"), "what came meanwhile has its numbers; what comes now goes on after the lost ones").toEqual([1, 2, 3, 4, 7, 8]);
    expect(await seqs("other")).toEqual([1, 2, 7]);
    for (const [org, checked] of [
      ["acme", 6],
      ["other", 3],
    ] as const) {
      expect(await verified(org)).toEqual({ ok: true, checked, unsealed: 0, first_bad: null, restored: [{ ...LOST, at: expect.any(String), by: "ops" }] });
      expect(await verifiedOffline(org)).toMatchObject({ ok: true, checked, restored: [LOST] });
    }
    const numbers = (await exported("acme")).checkpoints.map(({ number }: { number: number }) => number);
    expect(numbers).toEqual([1, 4, 5]);
    expect(await world.integrity()).toMatchObject({ registry: "ok", logs: 0 });
    expect((await call("GET /readyz")).body.backlog.audit_logs).toBe(0);
    expect((await found()).restorations).toEqual([]);
  });

  it("is on record as accepted, in the log itself and in the operator's own", async () => {
    await setBack();
    await accept((await found()).digest);
    const events = async (org: string) => (await call("GET /v1/audit?action=log.restored", { token: { org } })).body.events;
    expect(await events("acme")).toMatchObject([{ seq: 7, actor: "ops", outcome: "allowed", target: "generation:2:lost:3:6" }]);
    expect((await events("platform")).map(({ target }: { target: string }) => target).sort()).toEqual(
      ["acme", "other"].map((org) => `${org}:generation:2:lost:3:6`),
    );
  });

  it("can come more than once", async () => {
    await setBack();
    await accept((await found()).digest);
    await run(minute++);
    const copy = await copyOf("acme");
    await append("acme", 2, { at: NOON });
    await run(minute++);
    await restore("acme", copy);
    await run(minute++);
    const { restorations, digest } = await found();
    expect(restorations).toEqual([{ org: "acme", generation: 3, after: 7, lost: { first_seq: 8, last_seq: 9 }, lost_revocations: null, acceptable: true }]);
    await accept(digest);
    await run(minute++);
    expect(await verified("acme")).toMatchObject({ ok: true, restored: [LOST, { generation: 3, first_seq: 8, last_seq: 9 }] });
    expect(await verifiedOffline("acme")).toMatchObject({ ok: true, restored: [{}, {}] });
  });

  it("after which nothing at all is left of a log is accepted by the organization's name", async () => {
    await erase("acme");
    await run(minute++);
    const unnamed = await found();
    expect(unnamed).toMatchObject({ restorations: [], unnamed: 1 });
    expect((await accept(unnamed.digest)).body).toEqual({ accepted: [] });
    const { restorations, digest } = await found("acme");
    expect(restorations).toEqual([{ org: "acme", generation: 2, after: 0, lost: { first_seq: 1, last_seq: 6 }, lost_revocations: null, acceptable: true }]);
    expect((await accept(digest, "acme")).body).toEqual({ accepted: ["acme"] });
    await run(minute++);
    expect(await seqs("acme")).toEqual([7]);
    expect(await verified("acme")).toMatchObject({ ok: true, checked: 1, restored: [{ first_seq: 1, last_seq: 6 }] });
    expect(await verifiedOffline("acme")).toMatchObject({ ok: true, checked: 1 });
    expect(await world.integrity()).toMatchObject({ registry: "ok" });
  });

  it("is accepted only with the digest of what was shown", async () => {
    await setBack();
    const { digest } = await found();
    await restore("other", copies[1] as Copy);
    const { status, body } = await accept(digest);
    expect([status, body.code]).toEqual([412, "version-conflict"]);
    expect((await found()).restorations).toHaveLength(2);
    expect(await verified("acme")).toMatchObject({ ok: false, reason: "behind" });
  });

  it("is not accepted where what is left is not as it was signed, and the others are", async () => {
    await setBack();
    await sql("UPDATE audit_heads SET jws = jws || 'x' WHERE org = 'acme'");
    const { restorations, digest } = await found();
    expect(restorations.map(({ acceptable }: { acceptable: boolean }) => acceptable)).toEqual([false, true]);
    expect((await accept(digest)).body).toEqual({ accepted: ["other"] });
    expect((await verified("acme")).ok).toBe(false);
  });

  it("is not there to be accepted where nothing was lost", async () => {
    const { restorations, digest } = await found();
    expect(restorations).toEqual([]);
    expect((await accept(digest)).body).toEqual({ accepted: [] });
    expect(await verified("acme")).toEqual({ ok: true, checked: 6, unsealed: 0, first_bad: null });
  });

  it("once accepted cannot be taken back, copied to another log, or done without", async () => {
    await setBack();
    await accept((await found()).digest);
    await run(minute++);
    const after = await copyOf("acme", "other");
    const tamper: Record<string, () => Promise<unknown>> = {
      "taken out": () => sql("DELETE FROM audit_generations WHERE org = 'acme'"),
      "another's": () => sql("UPDATE audit_generations SET jws = (SELECT o.jws FROM audit_generations o WHERE o.org = 'other') WHERE org = 'acme'"),
      "one more": () => sql("INSERT INTO audit_generations SELECT org, 3, number, lost_seq, jws FROM audit_generations WHERE org = 'acme'"),
      "the state before it": () => restore("acme", copies[2] as Copy),
    };
    for (const [how, change] of Object.entries(tamper)) {
      await change();
      expect(await verified("acme"), how).toMatchObject({ ok: false });
      if (how !== "the state before it") expect(await verifiedOffline("acme"), how).toMatchObject({ ok: false });
      await restore("acme", after);
      expect(await verified("acme")).toMatchObject({ ok: true });
    }
  });

  it("does not keep retention from what came before and after it", async () => {
    await setBack();
    await accept((await found()).digest);
    await run(minute++);
    await append("acme", 1, { at: NOON + 90 * DAY });
    const { logKeys, keyring } = await loadConfig(env);
    const needs = { db: env.DB, kv: env.KV, keyring, logKeys, registry: NO_REGISTRY, retentionDays: 30, now: new Date(NOON + 60 * DAY) };
    expect((await removeOldEvents(needs)).refused).toBe(0);
    expect(await seqs("acme")).toEqual([8, 9]);
    expect(await verified("acme")).toMatchObject({ ok: true, restored: [LOST] });
  });

  it("makes an anchor of before it say more than there is, which is judged by the generation", async () => {
    const { anchor } = (await call("GET /v1/audit/anchor", { token: { org: "acme" } })).body;
    await setBack();
    expect(await verifyExport({ ...(await exported("acme")), anchors: [anchor] })).toMatchObject({ ok: false, reason: "behind" });
    await accept((await found()).digest);
    await run(minute++);
    expect(await verifyExport({ ...(await exported("acme")), anchors: [anchor] })).toMatchObject({ ok: true, restored: [LOST] });
  });

  it("is found in its rows too, until it is accepted: then what there is counts", async () => {
    const put = (audience: string) =>
      world.call("PUT /v1/trusts/github", { token: { org: "acme" }, json: { ...githubTrust("https://token.actions.githubusercontent.com"), audience } });
    const rows = async () => (await world.integrity()).rows;
    expect((await put("one")).status).toBe(201);
    await run(minute++);
    const [copy, row] = [await copyOf("acme"), await env.DB.prepare("SELECT * FROM trusts WHERE org = 'acme'").first<Record<string, unknown>>()];
    expect((await put("two")).status).toBe(200);
    await run(minute++);
    await restore("acme", copy);
    await sql("DELETE FROM revocations WHERE org = 'acme'");
    const columns = Object.keys(row ?? {});
    await sql(`INSERT OR REPLACE INTO trusts (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`, ...Object.values(row ?? {}));
    for (let n = 0; n < 2; n++) {
      await run(minute++);
      expect(await rows()).toMatchObject({ verdict: "failed", faults: 1 });
    }
    forgetLatest();
    const { digest, restorations } = await found();
    expect(restorations).toMatchObject([{ org: "acme", lost_revocations: { first: 1, last: 1 } }]);
    await accept(digest);
    await run(minute++);
    expect(await rows()).toMatchObject({ verdict: "ok", faults: 0 });
    minute += 6;
    await run(minute++);
    await sql("DELETE FROM trusts");
    await run(minute++);
    expect(await rows(), "what comes after that is found again").toMatchObject({ verdict: "failed", faults: 1 });
  });

  describe("that takes revocations back", () => {
    const token = { org: "acme" };
    const revoke = async () => {
      const { id, token: minted } = (await world.call("POST /v1/tokens", { token, json: { label: "x", permissions: ["secrets:read"], expires_in: 600 } })).body;
      expect((await world.call(`DELETE /v1/tokens/${id}`, { token })).status).toBe(204);
      return minted;
    };
    const revocations = async () => (await env.DB.prepare("SELECT n, kind, value FROM revocations WHERE org = 'acme' ORDER BY n").all()).results;
    /** D1 has the first of three revocations. */
    const setBackRevocations = async (): Promise<string[]> => {
      const tokens = [await revoke()];
      await run(minute++);
      const copy = await copyOf("acme");
      tokens.push(await revoke(), await revoke());
      await run(minute++);
      await restore("acme", copy);
      await sql("DELETE FROM revocations WHERE org = 'acme' AND n > 1");
      await run(minute++);
      return tokens;
    };
    it("says which, ends every token of before with the acceptance, and goes on with later numbers: nobody answers 503", async () => {
      const tokens = await setBackRevocations();
      expect((await call("GET /v1/whoami", { token })).status, "three have been seen here").toBe(503);
      const { restorations, digest } = await found();
      expect(restorations).toMatchObject([{ org: "acme", lost_revocations: { first: 2, last: 3 } }]);
      expect((await accept(digest)).body).toEqual({ accepted: ["acme"] });
      for (const each of [...tokens, token]) expect((await call("GET /v1/whoami", { token: each })).status).toBe(401);
      expect(await revocations()).toEqual([
        { n: 1, kind: "id", value: expect.any(String) },
        { n: 1_000_003, kind: "floor", value: "1,1" },
        { n: 1_000_004, kind: "before", value: String(Math.floor(Date.now() / 1000)) },
      ]);
      vi.setSystemTime(Date.now() + 2_000);
      expect((await call("GET /v1/whoami", { token })).status).toBe(200);
      await revoke();
      await run(minute++);
      expect((await revocations()).at(-1)).toMatchObject({ n: 1_000_005, kind: "id" });
      expect(await world.integrity()).toMatchObject({ registry: "ok", rows: { verdict: "ok" } });
      expect((await env.DB.prepare("SELECT row_key FROM integrity_failures WHERE org = 'acme'").all()).results, "the gap is explained").toEqual([]);
      const { events } = (await call("GET /v1/audit?action=log.restored", { token })).body;
      expect(events[0].target).toMatch(/:revocations:2:3$/);
      await sql("DELETE FROM revocations WHERE org = 'acme' AND n = 1");
      await run(minute++);
      await run(minute++);
      expect((await env.DB.prepare("SELECT row_key FROM integrity_failures WHERE org = 'acme'").all()).results).toEqual([{ row_key: '["acme",1000003]' }]);
      await sql("DELETE FROM integrity_failures");
    });

    it("of which none was on record leaves tokens in force, and is gone on from all the same", async () => {
      await setBack();
      await accept((await found()).digest);
      expect((await call("GET /v1/whoami", { token })).status).toBe(200);
      expect(await revocations()).toEqual([{ n: 1_000_000, kind: "floor", value: "1000000" }]);
      for (let n = 0; n < 2; n++) await run(minute++);
      expect((await env.DB.prepare("SELECT row_key FROM integrity_failures").all()).results).toEqual([]);
    });

    it("is accepted for the operator's own organization last: its token ends with it", async () => {
      await run(minute++);
      const copy = await copyOf("platform", "acme");
      const minted = async (org: string) =>
        (await world.call("POST /v1/tokens", { token: { org }, json: { label: "x", permissions: ["secrets:read"], expires_in: 600 } })).body.id;
      for (const org of ["platform", "acme"]) expect((await world.call(`DELETE /v1/tokens/${await minted(org)}`, { token: { org } })).status).toBe(204);
      await run(minute++);
      for (const org of ["platform", "acme"]) await restore(org, copy);
      await sql("DELETE FROM revocations");
      await run(minute++);
      expect((await call("GET /v1/audit/restorations", OPERATOR)).status, "here that one has been seen").toBe(503);
      forgetLatest();
      const { digest } = await found();
      expect((await accept(digest)).body).toEqual({ accepted: ["acme", "platform"] });
      expect((await call("GET /v1/audit/restorations", OPERATOR)).status).toBe(401);
    });
  });

  it("is nobody else's to accept", async () => {
    await setBack();
    const { digest } = await found();
    for (const token of [{ org: "acme" }, { org: "platform", scope: "audit:read keys:write" }]) {
      expect((await call("GET /v1/audit/restorations", { token })).status).toBe(403);
      expect((await call("POST /v1/audit/restorations", { token, json: { digest } })).status).toBe(403);
    }
  });
});
