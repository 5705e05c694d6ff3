import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { AuditEvent } from "../../src/contract/audit.ts";
import { EVENT_VERSIONS, type EventVersions, eventDigest, sha256 } from "../../src/contract/audit-digest.ts";
import { formatTime } from "../../src/contract/time.ts";
import { signPayload } from "../../src/worker/access/sign-payload.ts";
import { type CheckpointRow, insertCheckpoints } from "../../src/worker/audit/checkpoints.ts";
import { replaceHead } from "../../src/worker/audit/heads.ts";
import type { EventRow } from "../../src/worker/audit/read-events.ts";
import { loadConfig, parseConfig } from "../../src/worker/config.ts";
import { eventBody } from "../../src/worker/log/event-body.ts";
import { signHead } from "../../src/worker/log/log-head.ts";
import { NO_REGISTRY } from "../../src/worker/log/registry.ts";
import { renewHeads } from "../../src/worker/log/renew-heads.ts";
import { sealLog } from "../../src/worker/log/seal-log.ts";
import { sealTogether } from "../../src/worker/log/seal-together.ts";
import { CHECKPOINTS } from "../../src/worker/log/verify-log.ts";
import { call } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { sign } from "../support/sign.ts";
import { FOREIGN_SIGNING_KEY } from "../support/test-secrets.ts";
import { append, appendMany, DAY, START, seal, sealedLog, sql, verified, verifiedOffline } from "./support.ts";

const now = new Date(START + DAY);
const checkpointsOf = (org: string) =>
  env.DB.prepare("SELECT number, first_seq, last_seq FROM audit_checkpoints WHERE org = ? ORDER BY number")
    .bind(org)
    .all<{ number: number; first_seq: number; last_seq: number }>()
    .then(({ results }) => results);

describe("the triggers", () => {
  it.each([
    ["an event from being changed", "UPDATE audit_events SET actor = 'x' WHERE org = 'kept' AND seq = 1"],
    ["an event from being removed", "DELETE FROM audit_events WHERE org = 'kept'"],
    ["an event from being replaced", "INSERT OR REPLACE INTO audit_events SELECT * FROM audit_events WHERE org = 'kept' AND seq = 1"],
    [
      "an event from being put before the others",
      "INSERT INTO audit_events SELECT org, 0, at, actor, token_id, action, outcome, secrets, target, request_id, ip, user_agent, version, finer_outcome, lease, secrets_total, issuer FROM audit_events WHERE org = 'kept' AND seq = 1",
    ],
    ["a list from being changed", "UPDATE audit_lists SET secrets = '[]' WHERE org = 'kept'"],
    ["a list from being removed", "DELETE FROM audit_lists WHERE org = 'kept'"],
    ["a list from being replaced", "INSERT OR REPLACE INTO audit_lists SELECT org, seq, '[]' FROM audit_lists WHERE org = 'kept'"],
    ["an event from being given a list", "INSERT INTO audit_lists (org, seq, secrets) VALUES ('kept', 1, '[]')"],
    ["a checkpoint from being changed", "UPDATE audit_checkpoints SET last_at = 0 WHERE org = 'kept'"],
    ["a checkpoint from being removed", "DELETE FROM audit_checkpoints WHERE org = 'kept'"],
    ["a checkpoint from being replaced", "INSERT OR REPLACE INTO audit_checkpoints SELECT * FROM audit_checkpoints WHERE org = 'kept'"],
  ])("keep %s", async (_, statement) => {
    if ((await checkpointsOf("kept")).length === 0) {
      await append("kept", 1);
      await appendMany("kept");
      await seal();
    }
    await expect(sql(statement)).rejects.toThrow(/cannot be|can only be/);
    expect(await verified("kept")).toMatchObject({ ok: true, checked: 2 });
  });
});

describe("sealing", () => {
  it("makes one checkpoint of what is new, and none of nothing", async () => {
    await append("few", 3);
    await seal();
    await seal();
    expect(await checkpointsOf("few")).toEqual([{ number: 1, first_seq: 1, last_seq: 3 }]);
    await append("few", 1);
    await seal();
    expect(await checkpointsOf("few")).toEqual([
      { number: 1, first_seq: 1, last_seq: 3 },
      { number: 2, first_seq: 4, last_seq: 4 },
    ]);
  });

  it("takes a long log in bounded stretches, in turns with the others, and goes on where it stopped", async () => {
    await append("long", 2_500);
    await append("short", 1);
    await seal();
    expect((await checkpointsOf("long")).map(({ last_seq }) => last_seq)).toEqual([1_000, 2_000, 2_500]);
    expect(await verified("long")).toEqual({ ok: true, checked: 2_500, unsealed: 0, first_bad: null });
    expect(await verified("short")).toMatchObject({ ok: true, checked: 1 });
  });

  it("takes fewer events when they name many secrets", async () => {
    const secrets = JSON.stringify(Array.from({ length: 500 }, (_, n) => ({ id: `sec_${n}`, name: `N${n}`, scope: "global", version: 1 })));
    await append("wide", 150, { secrets });
    await seal();
    const stretches = await checkpointsOf("wide");
    expect(stretches.length).toBeGreaterThan(1);
    expect(stretches.every(({ first_seq, last_seq }) => (last_seq - first_seq) * secrets.length < 2_000_000)).toBe(true);
    expect(await verified("wide")).toMatchObject({ ok: true, checked: 150, unsealed: 0 });
  });

  it("of many logs beside one whose events name very many secrets, and beside one that D1 does not take, takes few transactions", async () => {
    const secrets = JSON.stringify(Array.from({ length: 500 }, (_, n) => ({ id: `sec_${n}`, name: `N${n}`, scope: "global", version: 1 })));
    const small = Array.from({ length: 40 }, (_, n) => `zz-small-${n}`);
    const together = async (first: string, fails: string) => {
      for (const org of small) await append(org, 1);
      const { logKeys, keyring } = await loadConfig(env);
      const batch = env.DB.batch.bind(env.DB);
      let batches = 0;
      vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
        batches++;
        if (JSON.stringify(statements).includes("INSERT INTO audit_checkpoints") && JSON.stringify(statements).includes(fails))
          throw new Error("D1_ERROR: too much");
        return batch(statements);
      });
      const shares = [first, ...small].map((org) => ({ org, limit: 100 }));
      const ends = await sealTogether({ db: env.DB, keyring, logKeys, now, registry: NO_REGISTRY }, shares).catch((error: unknown) => [error]);
      vi.restoreAllMocks();
      return { batches, sealed: ends.filter((end) => typeof end === "object" && end !== null && "events" in end).length };
    };
    await append("aa-wide", 100, { secrets });
    expect(await together("aa-wide", "nobody")).toEqual({ batches: 4, sealed: 41 });
  });

  it("of two runs at once lets one seal a stretch, and loses nothing", async () => {
    for (const org of ["twice-a", "twice-b"]) await append(org, 5);
    await Promise.all([seal(), seal(), seal()]);
    await Promise.all([append("twice-a", 2), seal(), append("twice-a", 2), seal()]);
    await seal();
    for (const org of ["twice-a", "twice-b"]) expect(await verified(org)).toMatchObject({ ok: true, unsealed: 0, first_bad: null });
    expect(await verified("twice-a")).toMatchObject({ checked: 9 });
  });

  it("of several logs at once keeps none from another's failure: one bent, one that fails, one that another run has sealed", async () => {
    const orgs = ["along-a", "along-bent", "along-failing", "along-raced", "along-z"];
    for (const org of orgs) await append(org, 2);
    await seal();
    for (const org of orgs) await append(org, 1);
    const honest = await env.DB.prepare("SELECT jws FROM audit_heads WHERE org = 'along-bent'").first<string>("jws");
    await sql("UPDATE audit_heads SET jws = 'x' WHERE org = 'along-bent'");
    const first = EVENT_VERSIONS[1] as EventVersions[number];
    const covers = (event: AuditEvent) => {
      if (event.org === "along-failing") throw new Error("it fails");
      return first.covers(event);
    };
    const { logKeys, keyring } = await loadConfig(env);
    const needs = { logKeys, keyring, now, registry: NO_REGISTRY, versions: { ...EVENT_VERSIONS, 1: { ...first, covers } } };
    const batch = env.DB.batch.bind(env.DB);
    const besideIt = { ...needs, db: { prepare: env.DB.prepare.bind(env.DB), batch } as D1Database };
    let calls = 0;
    // The first transaction says which logs wait, the second reads them.
    const raced = vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
      if (++calls === 3) expect(await sealTogether(besideIt, [{ org: "along-raced", limit: 1 }])).toEqual([{ events: 1, to: 3 }]);
      return batch(statements) as never;
    });
    await expect(sealLog({ ...needs, db: env.DB })).rejects.toMatchObject({ name: "AggregateError", errors: [{ message: "it fails" }] });
    raced.mockRestore();
    const sealedTo = async (org: string) => (await checkpointsOf(org)).map(({ last_seq }) => last_seq);
    for (const org of orgs) expect([org, await sealedTo(org)]).toEqual([org, /bent|failing/.test(org) ? [2] : [2, 3]]);
    await sql("UPDATE audit_heads SET jws = ? WHERE org = 'along-bent'", honest);
    await seal();
    for (const org of orgs) expect(await verified(org)).toMatchObject({ ok: true, checked: org === "along-bent" ? 2 : 3 });
  });

  it("seals each log by itself where D1 does not take what seals several, and the others as far as they come before it", async () => {
    for (const org of ["taken-a", "taken-refused"]) await append(org, 1);
    await sql("CREATE TRIGGER refused BEFORE INSERT ON audit_checkpoints WHEN NEW.org = 'taken-refused' BEGIN SELECT RAISE(ABORT, 'no'); END");
    await expect(seal()).rejects.toThrow("The metadata store did not answer.");
    await sql("DROP TRIGGER refused");
    expect([await checkpointsOf("taken-a"), await checkpointsOf("taken-refused")]).toMatchObject([[{ last_seq: 1 }], []]);
    await seal();
    expect(await verified("taken-refused")).toMatchObject({ ok: true, checked: 1, unsealed: 0 });
  });

  it("is done by the next run when D1 fails in the middle", async () => {
    await append("failing", 4);
    const batch = env.DB.batch.bind(env.DB);
    for (const nth of [1, 2, 3]) {
      let calls = 0;
      const failing = vi
        .spyOn(env.DB, "batch")
        .mockImplementation((statements) => (++calls === nth ? Promise.reject(new Error("D1_ERROR")) : batch(statements)) as never);
      await expect(seal()).rejects.toThrow();
      failing.mockRestore();
    }
    await seal();
    expect(await verified("failing")).toMatchObject({ ok: true, checked: 4, unsealed: 0 });
  });

  it("keeps a verification that runs beside it from a false alarm", async () => {
    await sealedLog("beside", [2, 2]);
    await append("beside", 3);
    const [during] = await Promise.all([verified("beside"), seal()]);
    expect(during).toMatchObject({ ok: true, first_bad: null });
  });
});

/** Makes checkpoints of one event each, many at once. */
async function sealOneByOne(org: string, count: number): Promise<void> {
  await append(org, count);
  const { logKeys } = await loadConfig(env);
  const { results } = await env.DB.prepare("SELECT * FROM audit_events WHERE org = ? ORDER BY seq").bind(org).all<EventRow>();
  const checkpoints: CheckpointRow[] = [];
  let previous: string | null = null;
  for (const row of results) {
    const digest = await eventDigest(eventBody(row));
    const stretch = { org, number: row.seq, first_seq: row.seq, last_seq: row.seq };
    const payload = { ...stretch, last_at: formatTime(row.at), rows: await sha256(digest), previous };
    const jws = await signPayload(logKeys, "keyhole-checkpoint", payload);
    checkpoints.push({ ...stretch, first_at: row.at, last_at: row.at, row_digests: JSON.stringify([digest]), jws });
    previous = await sha256(jws);
  }
  const head = await signHead(logKeys, { org, number: count, checkpoint: previous, removed_to: 0 });
  await env.DB.batch([insertCheckpoints(env.DB, checkpoints), replaceHead(env.DB, head, null, START)]);
}

describe("a verification", () => {
  it("of a long log goes on with a cursor", { timeout: 30_000 }, async () => {
    await sealOneByOne("many", CHECKPOINTS + 5);
    const first = await call("GET /v1/audit/verify", { token: { org: "many" } });
    expect([first.body.ok, first.body.checked, typeof first.body.next_cursor]).toEqual([true, CHECKPOINTS, "string"]);
    expect(await verified("many")).toEqual({ ok: true, checked: CHECKPOINTS + 5, unsealed: 0, first_bad: null });
  });

  it("takes no cursor for a beginning that is not there", async () => {
    await sealedLog("cursor", [2]);
    const cursor = btoa("999").replaceAll("=", "");
    expect((await call(`GET /v1/audit/verify?cursor=${cursor}`, { token: { org: "cursor" } })).body).toMatchObject({ ok: true, checked: 2 });
  });

  it("of a log without events has nothing to say", async () => {
    expect(await verified("nobody")).toEqual({ ok: true, checked: 0, unsealed: 0, first_bad: null });
    expect(await verifiedOffline("nobody")).toEqual(await verified("nobody"));
  });
});

describe("when the signing key changes", () => {
  const OLD = JSON.parse(env.SIGNING_KEY ?? "");
  const NEW = JSON.parse(FOREIGN_SIGNING_KEY);
  const keySet = (...keys: object[]) => JSON.stringify({ keys });
  const configOf = (SIGNING_KEY: string) => parseConfig({ ...env, SIGNING_KEY });
  const { d: _, ...publicHalf } = OLD;
  const RETIRED = { ...publicHalf, retired: true };
  const by = (key: string) => {
    const ask = callWith({ SIGNING_KEY: key });
    return (request: string, options = {}) => ask(request, { ...options, token: null });
  };

  /** What a Worker with these keys says; its caller's token is signed with the first of them. */
  async function says(org: string, key: string) {
    const first = JSON.stringify((JSON.parse(key) as { keys: object[] }).keys[0]);
    const ask = callWith({ SIGNING_KEY: key });
    const as = async (request: string, options: object) =>
      ask(request, { ...options, token: "token" in options && options.token === null ? null : await sign({ org }, { key: first }) });
    return [await verified(org, as as never), await verifiedOffline(org, as as never)];
  }

  it("a log verifies through its chain once the old key is dropped, also where nothing was sealed since", async () => {
    await sealedLog("rotated", [2, 3]);
    await sealedLog("quiet", [2]);
    const { logKeys } = await configOf(keySet(NEW, OLD));
    expect(await renewHeads({ db: env.DB, logKeys, now })).toMatchObject({ unknown: 0 });
    await append("rotated", 2);
    await seal(await configOf(keySet(NEW)));
    for (const found of await says("rotated", keySet(NEW))) expect(found).toEqual({ ok: true, checked: 7, unsealed: 0, first_bad: null });
    for (const found of await says("quiet", keySet(NEW))) expect(found).toEqual({ ok: true, checked: 2, unsealed: 0, first_bad: null });
  });

  it("heads are renewed in bounded batches, once, and by two runs at once without harm", async () => {
    for (const org of ["renew-a", "renew-b"]) await append(org, 1);
    await seal();
    const { logKeys } = await configOf(keySet(NEW, OLD));
    await Promise.all([renewHeads({ db: env.DB, logKeys, now }), renewHeads({ db: env.DB, logKeys, now })]);
    expect(await renewHeads({ db: env.DB, logKeys, now })).toEqual({ renewed: 0, unknown: 0 });
    const back = await loadConfig(env);
    expect(await renewHeads({ db: env.DB, logKeys: back.logKeys, now })).toMatchObject({ renewed: 0 });
  });

  it("a log whose key was dropped at once is not built upon, until the key is there again as a retired one", async () => {
    await env.DB.prepare("DELETE FROM audit_heads WHERE org <> 'dropped'").run();
    await sealedLog("dropped", [2]);
    await append("dropped", 1);
    const alone = await configOf(keySet(NEW));
    expect(await renewHeads({ db: env.DB, logKeys: alone.logKeys, now })).toEqual({ renewed: 0, unknown: 1 });
    expect((await seal(alone)).refused).toBeGreaterThan(0);
    for (const found of await says("dropped", keySet(NEW))) expect(found).toMatchObject({ ok: false, first_bad: 1 });
    const retired = await configOf(keySet(NEW, RETIRED));
    expect(await renewHeads({ db: env.DB, logKeys: retired.logKeys, now })).toEqual({ renewed: 1, unknown: 0 });
    for (const found of await says("dropped", keySet(NEW))) expect(found).toMatchObject({ ok: true, checked: 2, unsealed: 1 });
  });

  it("a retired key verifies the log, and no token", async () => {
    await sealedLog("retired", [2]);
    const [online] = await says("retired", keySet(NEW, RETIRED));
    expect(online).toMatchObject({ ok: true, checked: 2 });
    const old = callWith({ SIGNING_KEY: keySet(NEW, RETIRED) });
    expect((await old("GET /v1/whoami")).status).toBe(401);
    expect((await by(keySet(NEW, RETIRED))("GET /.well-known/jwks.json")).body.keys).toHaveLength(1);
  });

  it.each([
    ["the first one", keySet(RETIRED, NEW)],
    ["the only one", JSON.stringify(RETIRED)],
    ["one with its private half", keySet(NEW, { ...OLD, retired: true })],
    ["one twice", keySet(NEW, { ...RETIRED, kid: NEW.kid })],
  ])("a retired key is not %s", async (_, key) => {
    await expect(configOf(key)).rejects.toThrow("SIGNING_KEY");
  });
});
