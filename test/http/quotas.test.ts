import { env } from "cloudflare:workers";
import parsePrometheus from "parse-prometheus-text-format";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { METRICS } from "../../src/contract/metrics.ts";
import { countEvents } from "../../src/worker/audit/event-counts.ts";
import { digestLog } from "../../src/worker/log/digest-log.ts";
import { runScheduled } from "../../src/worker/scheduled.ts";
import { at, type CallOptions, call, put, type Reply, resolve } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { githubTrust } from "../support/exchange.ts";
import { sign } from "../support/sign.ts";
import { STILL } from "../support/still.ts";

/** A deployment with these quotas for every organization, and its callers. */
const deployment = (quotas: object) => {
  const call = callWith({ QUOTAS: JSON.stringify(quotas), PLATFORM_ORG: "platform" });
  return (org: string) =>
    (request: string, options: CallOptions = {}): Promise<Reply> =>
      call(request, { token: { org }, ...options });
};
const set = (name: string, value = "value") => [`PUT ${at("global", name)}`, { json: { value } }] as const;
const refused = ({ status, body }: Reply) => [status, body.code];

describe("quotas of what an organization keeps", () => {
  it("refuses the secret, the version, the bytes, the token, the trust and the link too many, names the quota, and holds up no other organization", async () => {
    const deployed = deployment({ secrets: 2, versions: 3, bytes: 30, tokens: 1, trusts: 1, scopes: 1 });
    const [full, other] = [deployed("full"), deployed("other")];
    for (const name of ["A", "B"]) expect((await full(...set(name))).status).toBe(201);
    const third = await full(...set("C"));
    expect(refused(third)).toEqual([422, "quota-exceeded"]);
    expect(third.body.detail).toContain("quota secrets of 2");
    expect((await full("GET /v1/secrets?name=C")).body.secrets).toEqual([]);
    expect((await full(...set("A", "longer than that"))).status).toBe(200);
    const token = { label: "ci", permissions: ["secrets:read"], expires_in: 60 };
    expect((await full("POST /v1/tokens", { json: token })).status).toBe(201);
    expect((await full("POST /v1/tokens", { json: token })).body.detail).toContain("quota tokens of 1");
    const trust = githubTrust("https://issuer.example.com");
    expect((await full("PUT /v1/trusts/one", { json: trust })).status).toBe(201);
    expect((await full("PUT /v1/trusts/one", { json: { ...trust, expires_in: 60 } })).status).toBe(200);
    expect((await full("PUT /v1/trusts/two", { json: trust })).body.detail).toContain("quota trusts of 1");
    expect((await full("PUT /v1/scopes/namespace%3Aone", { json: { parent: "team:t" } })).status).toBe(200);
    expect((await full("PUT /v1/scopes/namespace%3Atwo", { json: { parent: "team:t" } })).body.detail).toContain("quota scopes of 1");
    for (const name of ["A", "B"]) expect((await other(...set(name))).status).toBe(201);
  });

  it("counts the bytes of all versions, and room is there again once something is deleted or destroyed", async () => {
    const call = deployment({ bytes: 20 })("bytes");
    const { id } = (await call(...set("A", "0123456789"))).body;
    expect((await call(...set("A", "9876543210"))).status).toBe(200);
    const full = await call(...set("B", "0"));
    expect([...refused(full), full.body.detail.includes("quota bytes of 20")]).toEqual([422, "quota-exceeded", true]);
    expect((await call(`DELETE /v1/secrets/${id}/versions/1`)).status).toBe(204);
    expect((await call(...set("B", "0"))).status).toBe(201);
    expect((await call("GET /v1/usage")).body.usage).toMatchObject({ bytes: { used: 11, limit: 20 }, secrets: { used: 2 }, versions: { used: 2 } });
    expect((await call(`DELETE ${at("global", "A")}`)).status).toBe(204);
    const deleted = (await call("GET /v1/usage")).body;
    expect([deleted.usage, deleted.deleted_secrets]).toMatchObject([{ bytes: { used: 11 }, secrets: { used: 2 } }, 1]);
    const still = await call(...set("C", "0123456789"));
    expect([...refused(still), still.body.detail.includes("1 deleted")]).toEqual([422, "quota-exceeded", true]);
    expect((await call(`DELETE ${at("global", "A")}?purge=true`)).status).toBe(204);
    expect((await call("GET /v1/usage")).body.usage).toMatchObject({ bytes: { used: 1 }, secrets: { used: 1 }, versions: { used: 1 } });
  });

  it("a new value in place of an old one is none too many: of the secret the oldest version makes room", async () => {
    const call = deployment({ versions: 3, bytes: 20 })("rotating");
    await call(...set("A", "1"));
    const { id } = (await call(...set("A", "2"))).body;
    await call(...set("B", "1"));
    const kept = async () =>
      (await call(`GET /v1/secrets/${id}/versions`)).body.versions.map(({ version, state }: Record<string, unknown>) => [version, state]);
    expect(await call(...set("A", "3"))).toMatchObject({ status: 200, body: { version: 3 } });
    expect(await kept()).toEqual([
      [3, "current"],
      [2, "previous"],
      [1, "destroyed"],
    ]);
    const only = await call(...set("B", "2"));
    expect([only.status, (await call("GET /v1/usage")).body.usage.versions.used]).toEqual([200, 3]);
    const added = await call(...set("C", "1"));
    expect(refused(added)).toEqual([422, "quota-exceeded"]);
    expect([added.body.detail.includes("quota versions of 3"), added.body.detail.includes("1 earlier versions")]).toEqual([true, true]);
    const large = await call(...set("A", "longer than all the room there is"));
    expect([...refused(large), large.body.detail.includes("quota bytes of 20")]).toEqual([422, "quota-exceeded", true]);
    expect((await kept())[1]).toEqual([2, "previous"]);
    expect((await call("POST /v1/import", { json: { scope: "global", secrets: { A: "4", B: "3" } } })).status).toBe(200);
    expect((await call("POST /v1/resolve", { json: { names: ["A", "B"] } })).body.secrets).toMatchObject({ A: { value: "4" }, B: { value: "3" } });
  });

  it("an import counts each of its secrets, and is all or nothing", async () => {
    const call = deployment({ secrets: 3 })("imports");
    const secrets = (names: string[]) => ({ json: { scope: "global", secrets: Object.fromEntries(names.map((name) => [name, "v"])) } });
    expect((await call("POST /v1/import", secrets(["A", "B"]))).status).toBe(200);
    expect(refused(await call("POST /v1/import", secrets(["C", "D"])))).toEqual([422, "quota-exceeded"]);
    expect((await call("GET /v1/usage")).body.usage.secrets.used).toBe(2);
    expect((await call("POST /v1/import", secrets(["A", "C"]))).status).toBe(200);
  });

  it("of many writers at once no more come through than there is room for", async () => {
    const call = deployment({ secrets: 5 })("racing");
    const statuses = await Promise.all(Array.from({ length: 12 }, async (_, n) => (await call(...set(`S_${n}`))).status));
    expect(statuses.filter((status) => status === 201)).toHaveLength(5);
    expect(statuses.filter((status) => status === 422)).toHaveLength(7);
  });

  it("what is more than a quota that was made smaller stays, can be read and deleted, and nothing comes to it", async () => {
    const org = "shrunk";
    for (const name of ["A", "B"]) await deployment({})(org)(...set(name));
    const call = deployment({ secrets: 1 })(org);
    expect((await call("POST /v1/resolve", { json: { names: ["A", "B"] } })).status).toBe(200);
    expect(refused(await call(...set("C")))).toEqual([422, "quota-exceeded"]);
    expect((await call(...set("A", "rotated"))).status).toBe(200);
    expect((await call("PUT /v1/scopes/namespace%3Aone", { json: { parent: "team:t" } })).status).toBe(200);
    const linkless = deployment({ scopes: 0 })(org);
    expect(refused(await linkless("PUT /v1/scopes/namespace%3Atwo", { json: { parent: "team:t" } }))).toEqual([422, "quota-exceeded"]);
    expect((await linkless("PUT /v1/scopes/namespace%3Aone", { json: { parent: "team:other" } })).status).toBe(200);
    for (const name of ["A", "B"]) expect((await call(`DELETE ${at("global", name)}?purge=true`)).status).toBe(204);
    expect((await call(...set("C"))).status).toBe(201);
  });

  it("usage counted by triggers is what a count of the rows says", async () => {
    for (const table of ["secrets", "trusts"]) {
      const { results } = await env.DB.prepare(
        `SELECT u.org, u.${table} AS kept, (SELECT COUNT(*) FROM ${table} t WHERE t.org = u.org) AS counted FROM usage u`,
      ).all<{ kept: number; counted: number }>();
      expect(results.length).toBeGreaterThan(3);
      for (const { kept, counted } of results) expect(kept).toBe(counted);
    }
    const { results } = await env.DB.prepare(
      `SELECT u.versions, u.bytes, COUNT(v.version) AS counted, COALESCE(SUM(v.size), 0) AS size
       FROM usage u LEFT JOIN secrets s ON s.org = u.org LEFT JOIN versions v ON v.secret_id = s.id AND v.kind <> 'destroyed' GROUP BY u.org`,
    ).all<{ versions: number; bytes: number; counted: number; size: number }>();
    for (const { versions, bytes, counted, size } of results) expect([versions, bytes]).toEqual([counted, size]);
  });
});

describe("quotas of a minute", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-11-26T12:00:10.000Z") });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("long lists beside events count as the events of their size, so that no one fills the database with few calls", async () => {
    const call = deployment({ events_per_minute: 40 })("lists");
    const names = Array.from({ length: 60 }, (_, n) => `${"N".repeat(110)}_${n}`);
    expect((await call("POST /v1/import", { json: { scope: "global", secrets: Object.fromEntries(names.map((name) => [name, "v"])) } })).status).toBe(200);
    const statuses: number[] = [];
    for (let n = 0; n < 4; n++) statuses.push((await call("POST /v1/resolve", { json: {} })).status);
    expect(statuses).toEqual([200, 429, 429, 429]);
    vi.setSystemTime(Date.now() + 60_000);
    expect((await call("POST /v1/resolve", { json: {} })).status).toBe(200);
  });

  it("holds up writes beyond those of a minute with Retry-After, and lets deletions and revocations through", async () => {
    const call = deployment({ writes_per_minute: 3 })("writes");
    for (const name of ["A", "B", "C"]) expect((await call(...set(name))).status).toBe(201);
    const fourth = await call(...set("D"));
    expect([...refused(fourth), fourth.headers.get("Retry-After")]).toEqual([429, "rate-limited", "60"]);
    expect((await call(`DELETE ${at("global", "A")}`)).status).toBe(204);
    expect((await call("GET /v1/usage")).body.usage.writes_per_minute).toEqual({ used: 3, limit: 3 });
  });

  it("refuses resolves beyond the events of a minute, releases nothing then, and still records what changes something", async () => {
    const deployed = deployment({ events_per_minute: 6 });
    const call = deployed("events");
    await call(...set("A"));
    const statuses: number[] = [];
    for (let n = 0; n < 9; n++) statuses.push((await call("POST /v1/resolve", { json: { names: ["A"] } })).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429, 429, 429]);
    const held = await call("GET /v1/resolve/A");
    expect([...refused(held), held.headers.get("Retry-After"), held.text.includes("value")]).toEqual([429, "rate-limited", "10", false]);
    expect(refused(await call("POST /v1/import?dry_run=true", { json: { scope: "global", secrets: { A: "guess" } } }))).toEqual([429, "rate-limited"]);
    const { events } = (await call("GET /v1/audit?action=secret.resolve")).body;
    expect(events).toHaveLength(5);
    expect((await call(`DELETE ${at("global", "A")}`)).status).toBe(204);
    await deployed("events-2")(...set("A"));
    expect((await deployed("events-2")("POST /v1/resolve", { json: { names: ["A"] } })).status).toBe(200);
  });

  it("refused calls take a fifth of the events, and then the others are all there still", async () => {
    const call = deployment({ events_per_minute: 20 })("refused");
    await call(...set("A"));
    const poor = await sign({ org: "refused", scope: "secrets:read" });
    const statuses: number[] = [];
    for (let n = 0; n < 7; n++) statuses.push((await call("POST /v1/resolve", { token: poor, json: { names: ["A"] } })).status);
    expect(statuses).toEqual([403, 403, 403, 403, 429, 429, 429]);
    for (let n = 0; n < 15; n++) expect((await call("POST /v1/resolve", { json: { names: ["A"] } })).status).toBe(200);
    expect((await call("POST /v1/resolve", { json: { names: ["A"] } })).status).toBe(429);
    expect((await call("GET /v1/audit?outcome=denied")).body.events).toHaveLength(4);
  });

  it("who asks for what is not there takes of the same fifth: it neither fills the log nor is answered off the record", async () => {
    const call = deployment({ events_per_minute: 20 })("probing");
    await call(...set("A"));
    const probe = async (n: number) => (await call("POST /v1/resolve", { json: { names: ["A", `GUESS_${n}`] } })).status;
    const statuses: number[] = [];
    for (let n = 0; n < 7; n++) statuses.push(await probe(n));
    expect(statuses).toEqual([404, 404, 404, 404, 429, 429, 429]);
    const { events } = (await call("GET /v1/audit?outcome=not-found")).body;
    expect(events.map(({ secrets }: { secrets: { name: string }[] }) => secrets[0]?.name)).toEqual(["GUESS_3", "GUESS_2", "GUESS_1", "GUESS_0"]);
    expect((await call("POST /v1/resolve", { json: { names: ["A"] } })).status).toBe(200);
    expect((await call("POST /v1/resolve", { json: { names: ["A", "GUESS"], allow_missing: true } })).status, "is no refusal").toBe(200);
  });
});

describe("an organization's own quotas", () => {
  it("are set by the operator's organization, in force at once, on record in both logs, and taken back", async () => {
    const deployed = deployment({ secrets: 1 });
    const [operator, tenant] = [deployed("platform"), deployed("tenant")];
    await tenant(...set("A"));
    expect((await tenant(...set("B"))).status).toBe(422);
    expect((await operator("PUT /v1/quotas/tenant", { json: { secrets: 2 } })).body).toMatchObject({
      org: "tenant",
      own: { secrets: 2 },
      quotas: { secrets: 2 },
    });
    expect((await tenant(...set("B"))).status).toBe(201);
    expect((await tenant("GET /v1/usage")).body.usage.secrets).toEqual({ used: 2, limit: 2 });
    expect((await operator("PUT /v1/quotas/tenant", { json: {} })).body.own).toEqual({});
    for (const log of [operator, tenant]) {
      const { events } = (await log("GET /v1/audit?action=quota.put")).body;
      expect(events.map(({ target }: { target: string }) => target)).toEqual(["tenant as usual", "tenant secrets=2"]);
    }
    expect((await tenant(...set("C"))).status).toBe(422);
    expect(refused(await tenant("PUT /v1/quotas/tenant", { json: { secrets: 9 } }))).toEqual([403, "forbidden"]);
    expect(refused(await operator("PUT /v1/quotas/tenant", { json: { secret: 9 } }))).toEqual([400, "invalid-request"]);
  });

  it("that somebody else wrote into D1 refuse the organization's calls, and are found", async () => {
    const deployed = deployment({ secrets: 1 });
    await deployed("forged")(...set("A"));
    await deployed("platform")("PUT /v1/quotas/forged", { json: { secrets: 1 } });
    await env.DB.prepare("UPDATE quotas SET limits = '{\"secrets\":100}' WHERE org = 'forged'").run();
    expect(refused(await deployed("forged")(...set("B")))).toEqual([500, "integrity-failed"]);
    expect(refused(await deployed("forged")("POST /v1/resolve", { json: { names: ["A"] } }))).toEqual([500, "integrity-failed"]);
    await runScheduled(env as never, new Date(), STILL);
    expect((await deployed("forged")("GET /v1/usage")).status).toBe(500);
    await env.DB.prepare("DELETE FROM quotas WHERE org = 'forged'").run();
    expect((await deployed("forged")("GET /v1/usage")).status).toBe(200);
  });
});

describe("the metrics of an organization", () => {
  const read = (org: string, Accept?: string, scope = "metrics:read") =>
    call("GET /metrics", { token: { org, scope }, headers: Accept === undefined ? {} : { Accept } });
  const linesOf = async (org: string) => (await read(org)).text.split("\n");
  const digest = () => digestLog({ db: env.DB, now: new Date() });
  /** What a parser that nobody here wrote makes of them, by family and labels. */
  const parsed = async (org: string) => {
    const { text } = await read(org, "text/plain");
    return Object.fromEntries(
      parsePrometheus(text).flatMap(({ name, metrics }) =>
        metrics.map(({ value, labels = {} }) => [[name, ...Object.values(labels)].join(" "), Number(value)]),
      ),
    );
  };

  it("are each event counted once, however often and by how many runs it is gone through", async () => {
    const org = "counted";
    for (const name of ["A", "B"]) await put("global", name, "value", { token: { org } });
    for (let n = 0; n < 3; n++) await resolve({ names: ["A"] }, { token: { org } });
    await resolve({ names: ["NOWHERE"] }, { token: { org } });
    await call("GET /v1/secrets", { token: { org, scope: "" } });
    await digest();
    await digest();
    // A slower run that still thinks that it is the first one.
    await env.DB.batch([countEvents(env.DB, [{ org, done: 0, to: 7 }])]);
    expect(await parsed(org)).toMatchObject({
      "keyhole_events_total secret.create allowed": 2,
      "keyhole_events_total secret.resolve allowed": 3,
      "keyhole_events_total secret.resolve not-found": 1,
      "keyhole_events_total secret.read denied": 1,
      "keyhole_usage secrets": 2,
      "keyhole_usage bytes": 10,
      "keyhole_quota secrets": 10_000,
      "keyhole_log_waiting digested": 0,
      "keyhole_log_waiting sealed": 7,
    });
    await resolve({ names: ["B"] }, { token: { org } });
    expect(await parsed(org)).toMatchObject({ "keyhole_events_total secret.resolve allowed": 3, "keyhole_log_waiting digested": 1 });
    await digest();
    expect(await parsed(org)).toMatchObject({ "keyhole_events_total secret.resolve allowed": 4 });
  });

  it("count leases as they are opened, their uses with their last count, and refused tokens by their reason", async () => {
    const org = "leased";
    const lease = { id: "lse_1", until: Date.now() + 60_000, max_uses: 100 };
    const events: [action: string, outcome: string, target: string | null, lease: object | null][] = [
      ["secret.resolve", "allowed", null, lease],
      ["secret.resolve.uses", "allowed", null, { id: "lse_1", uses: 3, final: false }],
      ["secret.resolve.uses", "allowed", null, { id: "lse_1", uses: 8, final: true }],
      ["secret.use", "allowed", "echo", { ...lease, id: "lse_2" }],
      ["token.refused", "denied", "trust:ci wrong-audience once", null],
      ["token.refused", "denied", "trust:ci wrong-audience 16 times", null],
      ["token.refused", "denied", "revoked 4 times", null],
      ["token.refused", "denied", 'forged"} 5 times', null],
      ["forged.action", "allowed", null, null],
    ];
    for (const [n, [action, outcome, target, of]] of events.entries())
      await env.DB.prepare(
        "INSERT INTO audit_entries (org, seq, at, actor, action, outcome, secrets, target, request_id, version, lease) VALUES (?, ?, 0, 'a', ?, ?, '[]', ?, 'r', 6, ?)",
      )
        .bind(org, n + 1, action, outcome, target, of && JSON.stringify(of))
        .run();
    await digest();
    const found = await parsed(org);
    expect(found).toMatchObject({
      "keyhole_leases_opened_total secret.resolve": 1,
      "keyhole_leases_opened_total secret.use": 1,
      keyhole_lease_uses_total: 8,
      "keyhole_tokens_refused_total wrong-audience": 17,
      "keyhole_tokens_refused_total revoked": 4,
      "keyhole_tokens_refused_total others": 5,
    });
    expect(Object.keys(found).filter((name) => name.includes("forged"))).toEqual([]);
  });

  it("say what is due and in doubt, and when something will be", async () => {
    const org = "due";
    const soon = new Date(Date.now() + 86_400_000);
    await put("global", "EXPIRES", "value", { token: { org }, fields: { expires_at: soon.toISOString() } });
    await put("global", "ROTATES", "value", { token: { org }, fields: { rotate_after_days: 1 } });
    await env.DB.prepare("UPDATE secrets SET rotated_at = 0 WHERE org = ? AND name = 'ROTATES'").bind(org).run();
    await env.DB.prepare("INSERT INTO integrity_failures (org, table_name, row_key, seen_at) VALUES (?, 'secrets', '[\"sec_x\"]', 0)").bind(org).run();
    const found = await parsed(org);
    await env.DB.prepare("DELETE FROM integrity_failures WHERE org = ?").bind(org).run();
    expect(found).toMatchObject({
      "keyhole_secrets_due rotation": 1,
      "keyhole_secrets_due expiry": 0,
      "keyhole_next_due_timestamp_seconds expiry": soon.getTime() / 1_000,
      "keyhole_integrity_doubts rows": 1,
      "keyhole_integrity_doubts values": 0,
    });
    expect(found.keyhole_token_expiry_timestamp_seconds).toBeGreaterThan(Date.now() / 1_000);
  });

  it("are nobody else's, and of the whole deployment only with keys:read", async () => {
    await put("global", "MINE", "value", { token: { org: "mine" } });
    await digest();
    expect(await parsed("nobody")).toMatchObject({ "keyhole_usage secrets": 0, keyhole_lease_uses_total: 0 });
    expect((await linesOf("nobody")).filter((line) => line.startsWith("keyhole_events") || line.includes("deployment"))).toEqual([]);
    const { text } = await read("nobody", undefined, "metrics:read keys:read");
    expect(text).toMatch(/^keyhole_deployment_backlog\{job="sealed"\} \d+$/m);
    expect(text.match(/^keyhole_deployment_verdict\{of="registry",verdict="\w+"\} 1$/gm)).toHaveLength(1);
    expect(text).toMatch(/^keyhole_deployment_database_bytes \d+$/m);
    expect(await call("GET /metrics", { token: { org: "nobody", scope: "keys:read" } })).toMatchObject({ status: 403 });
  });

  it("are OpenMetrics 1.0, and the older text for whoever would rather have that", async () => {
    const [open, plain] = ["application/openmetrics-text; version=1.0.0; charset=utf-8", "text/plain; version=0.0.4; charset=utf-8"];
    const prometheus =
      "application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
    const accepted = [
      undefined,
      "*/*",
      prometheus,
      "application/openmetrics-text; version=2.0.0",
      "application/json",
      "text/plain",
      "text/plain;q=0.9, application/openmetrics-text;q=0.5",
    ];
    const types = await Promise.all(accepted.map(async (accept) => (await read("form", accept)).headers.get("Content-Type")));
    expect(types).toEqual([open, open, open, open, open, plain, plain]);
    const lines = await linesOf("form");
    expect(lines.slice(-2)).toEqual(["# EOF", ""]);
    expect(lines).toContain("# UNIT keyhole_token_expiry_timestamp_seconds seconds");
    const reply = await read("form", "text/plain", "metrics:read keys:read");
    expect(reply.text).not.toContain("# EOF");
    expect(reply.headers.get("Vary")).toBe("Accept");
    const families = new Set(reply.text.split("\n").flatMap((line) => (/^# TYPE (\S+?)(?:_total)? /.exec(line) ?? []).slice(1)));
    expect([...families].filter((name) => !(name in METRICS))).toEqual([]);
    expect(await call("POST /metrics", { token: { scope: "metrics:read" } })).toMatchObject({ status: 405 });
  });
});
