import { env } from "cloudflare:workers";
import { importJWK } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { parseEventBy, verifyExport } from "../../scripts/verify-export.ts";
import { type AuditEvent, auditEventSchema } from "../../src/contract/audit.ts";
import { EVENT_VERSIONS, type EventVersions, eventDigest, eventDigestBy, sha256, versionOfDigest } from "../../src/contract/audit-digest.ts";
import { createCaller } from "../../src/worker/access/caller.ts";
import { signPayload } from "../../src/worker/access/sign-payload.ts";
import type { CheckpointRow } from "../../src/worker/audit/checkpoints.ts";
import { loadConfig } from "../../src/worker/config.ts";
import { NO_REGISTRY } from "../../src/worker/log/registry.ts";
import { removeOldEvents } from "../../src/worker/log/remove-old-events.ts";
import { renewHeads } from "../../src/worker/log/renew-heads.ts";
import { sealLog } from "../../src/worker/log/seal-log.ts";
import { verifyLog } from "../../src/worker/log/verify-log.ts";
import { call } from "../support/call.ts";
import frozen from "../vectors/audit-event-v1.json" with { type: "json" };
import { append, DAY, dropTriggers, exported, MINUTE, START, sql, verified, verifiedOffline } from "./support.ts";

/** A later Keyhole: it knows one version more. */
const LATER: EventVersions = {
  ...EVENT_VERSIONS,
  7: { schema: auditEventSchema.strict(), covers: ({ seq, org, target, actor, request_id }) => [seq, org, target, actor, request_id] },
};

const NOW = new Date(START + DAY);
const needs = async (versions?: EventVersions) => ({
  ...(await loadConfig(env)),
  db: env.DB,
  kv: env.KV,
  now: NOW,
  registry: NO_REGISTRY,
  ...(versions && { versions }),
});
const sealAs = async (versions?: EventVersions) => sealLog(await needs(versions));

async function verifiedAs(versions: EventVersions, org: string) {
  const facts = {
    org,
    subject: "t",
    tokenId: null,
    lineage: null,
    expiresAt: null,
    verifiedUntil: null,
    leaseSeconds: 0,
    secretScopes: null,
    secretNames: null,
    services: null,
    requestId: "req_1",
    ip: null,
    userAgent: null,
  };
  const { next, ...verdict } = await verifyLog(await needs(versions), createCaller({ ...facts, permissions: new Set(["audit:read"]) }), 0);
  expect(next).toBeNull();
  return verdict;
}

async function verifiedOfflineAs(versions: EventVersions, org: string) {
  const { lines, ...given } = await exported(org);
  return verifyExport({ ...given, events: lines.map((line) => parseEventBy(versions, line)) }, versions);
}

/** Expects the same of the verification online and offline. */
async function expectVerdict(org: string, verdict: object): Promise<void> {
  expect(await verified(org), "online").toMatchObject(verdict);
  expect(await verifiedOffline(org), "offline").toMatchObject(verdict);
}

/** A log that a later Keyhole has sealed: of version 1, then of version 7, then of 1 again, as of a Worker that was rolled back. */
async function laterLog(org: string): Promise<void> {
  await append(org, 2);
  await sealAs(LATER);
  await append(org, 1);
  await append(org, 2, { version: 7 });
  await append(org, 1);
  await sealAs(LATER);
}

beforeAll(dropTriggers);

describe("the digest of version 1", () => {
  it.each(frozen.vectors)("is what it always was: event $event.seq", async ({ event, preimage, digest }) => {
    const given = event as AuditEvent;
    expect(await sha256(preimage)).toBe(digest);
    expect(await eventDigest(given)).toBe(digest);
    expect(await eventDigest({ ...given, version: 1 })).toBe(digest);
    expect(versionOfDigest(digest)).toBe(1);
  });

  it("of a version that is not known there is none", async () => {
    await expect(eventDigest({ ...(frozen.vectors[0]?.event as AuditEvent), version: 7 })).rejects.toThrow(RangeError);
  });

  it("is told from that of a later one, which says its version", async () => {
    const event = { ...(frozen.vectors[0]?.event as AuditEvent), version: 7 };
    const digest = await eventDigestBy(LATER, event);
    expect(digest).toBe(`v7.${await sha256(JSON.stringify(["keyhole-audit/v7", event.seq, event.org, event.target, event.actor, event.request_id]))}`);
    expect(versionOfDigest(digest)).toBe(7);
    for (const other of ["", "v7.", `v0.${"A".repeat(43)}`, `v02.${"A".repeat(43)}`, "A".repeat(44), `v7.${"A".repeat(44)}`])
      expect(versionOfDigest(other)).toBeUndefined();
  });
});

describe("an event says its version", () => {
  it("in replies and exports", async () => {
    await append("said", 1);
    await append("said", 1, { version: 7 });
    const { body } = await call("GET /v1/audit", { token: { org: "said" } });
    expect(body.events.map(({ version }: AuditEvent) => version)).toEqual([7, 1]);
    expect((await exported("said")).lines.map((line) => JSON.parse(line).version)).toEqual([1, 7]);
  });

  it("and one that is written now is of the sixth", async () => {
    await call("GET /v1/secrets", { token: { org: "written", scope: "" } });
    expect((await call("GET /v1/audit", { token: { org: "written" } })).body.events).toMatchObject([{ seq: 1, version: 6 }]);
  });
});

describe("what was asked of a service under a lease", () => {
  const calls = {
    requests: [{ request: "POST /v1/chat/completions", count: 2 }],
    other_requests: 1,
    statuses: [{ status: 200, count: 3 }],
    sent_bytes: 10,
    received_bytes: 20,
  };
  const counted = { id: "lse_1", uses: 2, final: true, calls };
  const write = async (org: string, lease: object, version = 6) => {
    await append(org, 1, { version });
    await sql("UPDATE audit_events SET lease = ?2, issuer = 'keyhole' WHERE org = ?1", org, JSON.stringify(lease));
  };

  it("is covered by the digest, each part of it", async () => {
    await write("calls", counted);
    await sealAs();
    await expectVerdict("calls", { ok: true, checked: 1 });
    const changed: object[] = [
      { requests: [{ request: "GET /v1/models", count: 2 }] },
      { requests: [{ request: "POST /v1/chat/completions", count: 1 }] },
      { requests: [] },
      { other_requests: 0 },
      { statuses: [{ status: 500, count: 3 }] },
      { statuses: [{ status: 200, count: 2 }] },
      { sent_bytes: 9 },
      { received_bytes: 0 },
    ];
    for (const change of changed) {
      await sql("UPDATE audit_events SET lease = ?2 WHERE org = ?1", "calls", JSON.stringify({ ...counted, calls: { ...calls, ...change } }));
      await expectVerdict("calls", { ok: false, first_bad: 1 });
    }
    const { calls: _, ...without } = counted;
    await sql("UPDATE audit_events SET lease = ?2 WHERE org = ?1", "calls", JSON.stringify(without));
    await expectVerdict("calls", { ok: false, first_bad: 1 });
  });

  it("is not said of an event of before, nor with anything that is not covered", async () => {
    for (const [n, [lease, version]] of (
      [
        [counted, 5],
        [{ ...counted, calls: { ...calls, more: 1 } }, 6],
        [{ ...counted, calls: { ...calls, requests: [{ request: "GET /", count: 1, more: 1 }] } }, 6],
      ] as const
    ).entries()) {
      const org = `calls-added-${n}`;
      await write(org, lease, version);
      expect((await call("GET /v1/audit", { token: { org } })).body.events[0].lease).toEqual({ id: "(unreadable)" });
    }
  });
});

describe("the issuer of an event's token", () => {
  const own = async (org: string) => {
    await call("GET /v1/secrets", { token: { org, scope: "" } });
    return (await call("GET /v1/audit", { token: { org } })).body.events[0] as AuditEvent;
  };

  it("is covered by the digest", async () => {
    const event = await own("issued");
    const { seq, at, org, actor, token_id, action, outcome, secrets, target, request_id, ip, user_agent, issuer } = event;
    expect([event.version, issuer]).toEqual([6, "keyhole"]);
    const named = secrets.map(({ id, name, scope, version }) => [id, name, scope, version]);
    const covered = [
      seq,
      at,
      org,
      actor,
      token_id,
      action,
      outcome,
      named,
      target,
      request_id,
      ip,
      user_agent,
      [null, null, null, null, null],
      null,
      issuer,
      null,
    ];
    expect(await eventDigest(event)).toBe(`v6.${await sha256(JSON.stringify(["keyhole-audit/v6", ...covered]))}`);
  });

  it.each(["'https://other.example.org'", "NULL"])("is found when it is changed to %s", async (issuer) => {
    const org = `issuer-changed-${issuer.length}`;
    await own(org);
    await sealAs();
    await expectVerdict(org, { ok: true, checked: 1 });
    await sql(`UPDATE audit_events SET issuer = ${issuer} WHERE org = ?`, org);
    await expectVerdict(org, { ok: false, first_bad: 1 });
  });

  it("is not said of an event of before, also when somebody writes one there", async () => {
    await append("issuer-added", 1);
    await sealAs();
    await sql("UPDATE audit_events SET issuer = 'https://other.example.org' WHERE org = 'issuer-added'");
    await expectVerdict("issuer-added", { ok: true, checked: 1 });
    expect((await call("GET /v1/audit", { token: { org: "issuer-added" } })).body.events[0]).not.toHaveProperty("issuer");
  });

  it("in an export of a version that has none is tampering", async () => {
    await append("issuer-exported", 1);
    await sealAs();
    const { lines, ...given } = await exported("issuer-exported");
    const events = lines.map((line) => parseEventBy(EVENT_VERSIONS, JSON.stringify({ ...JSON.parse(line), issuer: null })));
    expect(await verifyExport({ ...given, events })).toMatchObject({ ok: false, first_bad: 1 });
  });
});

describe("a log with events of a later version", () => {
  let tampered = 0;
  const NEWER = { ok: false, first_bad: null, newer: { seq: 4, version: 7 } };

  it("is whole for a Keyhole that knows it", async () => {
    await laterLog("later");
    expect(await verifiedAs(LATER, "later")).toEqual({ ok: true, checked: 6, unsealed: 0, first_bad: null });
    expect(await verifiedOfflineAs(LATER, "later")).toEqual({ ok: true, checked: 6, unsealed: 0, first_bad: null });
  });

  it("is neither whole nor tampered with for one that does not: it says from where on it cannot check, and checks the rest", async () => {
    await laterLog("rolled-back");
    await expectVerdict("rolled-back", { ...NEWER, checked: 4, unsealed: 0 });
  });

  it.each<[string, string, number]>([
    ["an event before it is changed", "UPDATE audit_events SET actor = 'x' WHERE org = ? AND seq = 2", 2],
    ["an event beside it is changed", "UPDATE audit_events SET actor = 'x' WHERE org = ? AND seq = 3", 3],
    ["an event after it is changed", "UPDATE audit_events SET actor = 'x' WHERE org = ? AND seq = 6", 6],
    ["an event is changed that then says to be of the later version", "UPDATE audit_events SET actor = 'x', version = 7 WHERE org = ? AND seq = 3", 3],
    ["an event is changed that then says to be of a version of its own", "UPDATE audit_events SET actor = 'x', version = 99 WHERE org = ? AND seq = 1", 1],
    ["an event says to be of no version that there could be", "UPDATE audit_events SET version = 0 WHERE org = ? AND seq = 1", 1],
    ["one of the later version says to be of another", "UPDATE audit_events SET version = 8 WHERE org = ? AND seq = 4", 4],
    ["one of the later version says to be of the first", "UPDATE audit_events SET version = 1 WHERE org = ? AND seq = 5", 5],
    ["one of the later version is removed", "DELETE FROM audit_events WHERE org = ? AND seq = 5", 5],
    [
      "the digests say that an event is of the later version",
      "UPDATE audit_checkpoints SET row_digests = json_set(row_digests, '$[0]', 'v7.' || (row_digests ->> '$[0]')) WHERE org = ? AND number = 1",
      1,
    ],
    [
      "the digests are shifted so that one begins like a later one",
      "UPDATE audit_checkpoints SET row_digests = json_array(row_digests ->> '$[0]' || 'v7.', substr(row_digests ->> '$[1]', 4), row_digests ->> '$[2]', row_digests ->> '$[3]') WHERE org = ? AND number = 2",
      3,
    ],
    ["the head is removed", "DELETE FROM audit_heads WHERE org = ?", 7],
  ])("is found tampered with when %s", async (_, statement, first_bad) => {
    const org = `tampered-${tampered++}`;
    await laterLog(org);
    await sql(statement, org);
    await expectVerdict(org, { ok: false, first_bad });
    expect(await verified(org)).not.toHaveProperty("newer");
    expect(await verifiedAs(LATER, org)).toMatchObject({ ok: false, first_bad });
  });

  it("hides no change of its later events from a Keyhole that knows them", async () => {
    await laterLog("changed-later");
    await sql("UPDATE audit_events SET actor = 'x' WHERE org = 'changed-later' AND seq = 5");
    await expectVerdict("changed-later", NEWER);
    expect(await verifiedAs(LATER, "changed-later")).toMatchObject({ ok: false, first_bad: 5 });
    expect(await verifiedOfflineAs(LATER, "changed-later")).toMatchObject({ ok: false, first_bad: 5 });
  });

  it("is not removed by a run that does not know it, and is by one that does", async () => {
    await env.DB.prepare("DELETE FROM audit_heads").run();
    await laterLog("old-later");
    await append("old-later", 1, { at: START + 100 * DAY });
    const run = async (minutes: number, versions?: EventVersions) =>
      removeOldEvents({ ...(await needs(versions)), retentionDays: 30, now: new Date(START + 60 * DAY + minutes * MINUTE) });
    expect(await run(0)).toEqual({ events: 2, refused: 1 });
    expect(await run(61, LATER)).toEqual({ events: 4, refused: 0 });
    expect(await verifiedAs(LATER, "old-later")).toMatchObject({ ok: true, checked: 0, unsealed: 3 });
  });
});

describe("events of a later version that are not sealed yet", () => {
  it("are sealed only by a run that knows them: another one seals what comes before, waits, and says so on /readyz", async () => {
    await append("waiting", 2);
    await append("waiting", 2, { version: 7 });
    await append("waiting", 1);
    expect((await sealAs()).refused).toBeGreaterThan(0);
    await expectVerdict("waiting", { ok: false, checked: 2, unsealed: 3, first_bad: null, newer: { seq: 3, version: 7 } });
    expect((await call("GET /readyz")).body.backlog.audit_logs).toBeGreaterThan(0);
    await env.DB.prepare("UPDATE audit_marks SET seen_at = 0 WHERE org = 'waiting'").run();
    await sealAs(LATER);
    expect(await verifiedAs(LATER, "waiting")).toEqual({ ok: true, checked: 5, unsealed: 0, first_bad: null });
    expect(await env.DB.prepare("SELECT failed FROM audit_marks WHERE org = 'waiting' AND job = 'seal'").first("failed")).toBe(0);
  });
});

describe("what a later Keyhole signed with members that are not known here", () => {
  /** Puts one member more into the payload of the last checkpoint, or of the head, and signs it all with our key. */
  async function signMore(org: string, what: "checkpoint" | "head"): Promise<void> {
    const { logKeys } = await needs();
    const payloadOf = (jws = "") => JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(jws.split(".")[1] ?? "", { alphabet: "base64url" })));
    const head = payloadOf((await env.DB.prepare("SELECT jws FROM audit_heads WHERE org = ?").bind(org).first<string>("jws")) ?? "");
    if (what === "checkpoint") {
      const last = await env.DB.prepare("SELECT * FROM audit_checkpoints WHERE org = ? ORDER BY number DESC LIMIT 1").bind(org).first<CheckpointRow>();
      const jws = await signPayload(logKeys, "keyhole-checkpoint", { ...payloadOf(last?.jws), more: 1 });
      await sql("UPDATE audit_checkpoints SET jws = ? WHERE org = ? AND number = ?", jws, org, last?.number);
      head.checkpoint = await sha256(jws);
    } else head.more = 1;
    await sql("UPDATE audit_heads SET jws = ? WHERE org = ?", await signPayload(logKeys, "keyhole-head", head), org);
  }

  it.each([
    ["checkpoint", 3],
    ["head", 4],
  ] as const)("in a %s is found neither good nor bad", async (what, seq) => {
    const org = `more-${what}`;
    for (const count of [2, 1]) {
      await append(org, count);
      await sealAs();
    }
    await signMore(org, what);
    await expectVerdict(org, { ok: false, checked: 3, first_bad: null, newer: { seq, version: null } });
    await sql("UPDATE audit_events SET actor = 'x' WHERE org = ? AND seq = 3", org);
    await expectVerdict(org, { ok: false, first_bad: 3 });
  });

  it("in a head is not signed away: nothing is sealed onto it, nor removed below it, nor is it renewed", async () => {
    await env.DB.prepare("DELETE FROM audit_heads").run();
    await append("kept-head", 2);
    await sealAs();
    await signMore("kept-head", "head");
    await append("kept-head", 1, { at: START + 100 * DAY });
    const jws = () => env.DB.prepare("SELECT jws FROM audit_heads WHERE org = 'kept-head'").first("jws");
    const before = await jws();
    await env.DB.prepare("UPDATE audit_marks SET seen_at = 0").run();
    expect((await sealAs()).refused).toBeGreaterThan(0);
    expect(await removeOldEvents({ ...(await needs()), retentionDays: 30, now: new Date(START + 60 * DAY) })).toEqual({ events: 0, refused: 1 });
    const { kid, key } = await anotherSigner();
    const { logKeys } = await needs();
    expect(await renewHeads({ db: env.DB, logKeys: { ...logKeys, signer: { kid, key } }, now: NOW })).toEqual({ renewed: 0, unknown: 1 });
    expect(await jws()).toBe(before);
  });

  it("in a checkpoint is not removed", async () => {
    await env.DB.prepare("DELETE FROM audit_heads").run();
    await append("kept-checkpoint", 2);
    await sealAs();
    await signMore("kept-checkpoint", "checkpoint");
    await append("kept-checkpoint", 1, { at: START + 100 * DAY });
    expect(await removeOldEvents({ ...(await needs()), retentionDays: 30, now: new Date(START + 60 * DAY) })).toEqual({ events: 0, refused: 1 });
  });

  async function anotherSigner() {
    const jwk = JSON.parse(env.SIGNING_KEY ?? "");
    return { kid: "another", key: (await importJWK(jwk, "EdDSA")) as CryptoKey };
  }
});
