import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { AuditEvent } from "../../src/contract/audit.ts";
import { insertEvent } from "../../src/worker/audit/insert-event.ts";
import { at, call, put, resolve } from "../support/call.ts";
import { putExpired } from "../support/put-expired.ts";
import { sizesOf } from "./support.ts";

interface Row {
  readonly seq: number;
  readonly at: number;
  readonly actor: string;
  readonly token_id: string;
  readonly action: string;
  readonly outcome: string;
  readonly finer_outcome: string | null;
  readonly secrets: string;
  readonly request_id: string;
  readonly ip: string | null;
  readonly user_agent: string | null;
}

const eventsOf = async (org: string) => (await env.DB.prepare("SELECT * FROM audit_events WHERE org = ? ORDER BY seq").bind(org).all<Row>()).results;
const lastOf = async (org: string) => (await eventsOf(org)).at(-1);

/** Lets every audit insert of an organization fail. */
const breakAudit = (org: string) =>
  env.DB.prepare(`CREATE TRIGGER broken BEFORE INSERT ON audit_events WHEN NEW.org = '${org}' BEGIN SELECT RAISE(ABORT, 'no audit today'); END`).run();
afterEach(() => env.DB.prepare("DROP TRIGGER IF EXISTS broken").run());

describe("an event", () => {
  it("says who did what to which secret when, from where, by which request", async () => {
    const token = { org: "who", sub: "deployer", jti: "tok_audited" };
    const before = Date.now();
    const set = await put("team:t", "AUDITED", "audited-value", {
      token,
      headers: { "User-Agent": `agent/1 ${"x".repeat(400)}`, "CF-Connecting-IP": "2001:db8::1" },
    });
    const event = await lastOf("who");
    expect(event).toMatchObject({ seq: 1, actor: "deployer", token_id: "tok_audited", action: "secret.create", outcome: "allowed", ip: "2001:db8::1" });
    expect(event?.at).toBeGreaterThanOrEqual(before);
    expect(event?.request_id).toBe(set.headers.get("X-Request-Id"));
    expect(event?.user_agent).toMatch(/^agent\/1 x+$/);
    expect(event?.user_agent).toHaveLength(256);
    expect(JSON.parse(event?.secrets ?? "")).toEqual([{ id: set.body.id, name: "AUDITED", scope: "team:t", version: 1 }]);
  });

  it("is there for every write, also one that changed nothing", async () => {
    const token = { org: "writes" };
    const { body } = await put("global", "W", "1", { token });
    await put("global", "W", "1", { token });
    await put("global", "W", "2", { token });
    await call(`PATCH /v1/secrets/${body.id}`, { token, json: { description: "d" } });
    await call(`DELETE ${at("global", "W")}`, { token });
    await call("POST /v1/secrets", { token, json: { scope: "global", name: "W", value: "3" } });
    const rows = await eventsOf("writes");
    expect(rows.map(({ action, secrets }) => [action, JSON.parse(secrets)[0].version])).toEqual([
      ["secret.create", 1],
      ["secret.update", 1],
      ["secret.update", 2],
      ["secret.update", 2],
      ["secret.delete", 2],
      ["secret.create", 3],
    ]);
    expect(rows.every(({ outcome }) => outcome === "allowed")).toBe(true);
  });

  it("is there for every resolve, and names exactly what was released", async () => {
    const token = { org: "resolves" };
    const { body: a } = await put("global", "A", "v", { token });
    const { body: b } = await put("team:t", "B", "v", { token });
    await put("global", "B", "v", { token });
    await putExpired("global", "OLD", "v", { token });
    const released = async (request: object, query = "") => {
      await call(`POST /v1/resolve${query}`, { token, json: request });
      const event = await lastOf("resolves");
      expect(event).toMatchObject({ action: "secret.resolve", outcome: "allowed" });
      return JSON.parse(event?.secrets ?? "");
    };
    const both = [
      { id: a.id, name: "A", scope: "global", version: 1 },
      { id: b.id, name: "B", scope: "team:t", version: 1 },
    ];
    expect(await released({ names: ["B", "A"], scopes: ["team:t"] })).toEqual(both);
    expect(await released({ names: ["A", "B", "OLD", "NONE"], scopes: ["team:t"], allow_missing: true })).toEqual(both);
    expect(await released({ names: ["A", "OLD"] })).toEqual([]);
    const { body: nearer } = await put("team:t", "a", "v", { token });
    const inTeam = { names: ["A", "a"], scopes: ["team:t"] };
    const winner = { id: nearer.id, name: "a", scope: "team:t", version: 1 };
    expect(await released(inTeam, "?format=env"), "of one variable there is one").toEqual([winner]);
    await call("GET /v1/resolve/A", { token });
    expect(JSON.parse((await lastOf("resolves"))?.secrets ?? "")).toEqual([both[0]]);
  });

  it("is there for a resolve of what is not there, with the outcome not-found, and names that and nothing else", async () => {
    const token = { org: "probed" };
    await put("global", "A", "v", { token });
    const probed = async (request: object) => {
      const before = (await eventsOf("probed")).length;
      const { status, text } = await resolve(request, { token });
      expect(text.includes('"A":')).toBe(status === 200 && JSON.stringify(request).includes('"A"'));
      return [
        status,
        ...(await eventsOf("probed")).slice(before).map(({ outcome, finer_outcome, secrets }) => [finer_outcome ?? outcome, JSON.parse(secrets)]),
      ];
    };
    const absent = (name: string, scope: string | null = null) => ({ id: null, name, scope, version: null });
    const A = expect.objectContaining({ name: "A", version: 1 });
    expect(await probed({ names: ["A", "NONE", "NO"] })).toEqual([404, ["not-found", [absent("NONE"), absent("NO")]]]);
    expect(await probed({ names: ["NONE"], scopes: ["team:t"] })).toEqual([404, ["not-found", [absent("NONE", "team:t")]]]);
    expect(await probed({ names: ["NONE"], allow_missing: true })).toEqual([200, ["not-found", [absent("NONE")]]]);
    expect(await probed({ names: ["A", "NONE"], allow_missing: true })).toEqual([200, ["not-found", [absent("NONE")]], ["allowed", [A]]]);
    expect(await probed({ names: ["A"], allow_missing: true })).toEqual([200, ["allowed", [A]]]);
    const { body } = await call("GET /v1/audit?outcome=not-found", { token });
    expect(body.events.map(({ outcome, actor, ip }: AuditEvent) => [outcome, actor, ip])).toEqual(Array(4).fill(["not-found", "tester", null]));
    expect((await call("GET /v1/audit?outcome=denied", { token })).body.events).toEqual([]);
  });

  it("of many names that are not there names the first of those and says how many they are", async () => {
    const token = { org: "probed-many" };
    const name = (n: number) => `${"N".repeat(n % 2 === 0 ? 120 : 8)}_${n}`;
    const known = Array.from({ length: 60 }, (_, n) => `K_${n}`);
    await call("POST /v1/import", { token, json: { scope: "global", secrets: Object.fromEntries(known.map((each) => [each, "v"])) } });
    for (const [scope, allow_missing] of [
      ["global", false],
      [`repo:${Array(20).fill("r".repeat(100)).join("/")}`, true],
    ] as const) {
      const names = [...known, ...Array.from({ length: 40 }, (_, n) => name(n))];
      await resolve({ names, scopes: [scope], allow_missing }, { token, headers: { "User-Agent": "u".repeat(4_096) } });
      const { body } = await call("GET /v1/audit?outcome=not-found&limit=1", { token });
      const [{ secrets, secrets_total }] = body.events;
      expect(secrets.length).toBeGreaterThan(0);
      expect(secrets.map((secret: { name: string }) => secret.name)).toEqual(names.slice(60, 60 + secrets.length));
      expect([secrets.length <= 20, JSON.stringify(secrets).length <= 2_560, secrets_total]).toEqual([true, true, 40]);
    }
    expect(Math.max(...(await sizesOf("probed-many")))).toBeLessThanOrEqual(4_096);
  });

  it("is there for a resolve that is answered with 304", async () => {
    const token = { org: "not-modified" };
    await put("global", "N", "v", { token });
    const first = await resolve({ names: ["N"] }, { token });
    await resolve({ names: ["N"] }, { token, headers: { "If-None-Match": first.headers.get("ETag") ?? "" } });
    expect((await eventsOf("not-modified")).filter(({ action }) => action === "secret.resolve")).toHaveLength(2);
  });

  it("is in the caller's organization when it releases a builtin", async () => {
    const { body } = await put("global", "AUDITED_BUILTIN", "v", { token: { org: "platform" } });
    const before = (await eventsOf("platform")).length;
    await resolve({ names: ["AUDITED_BUILTIN"] }, { token: { org: "builtin-user" } });
    expect(JSON.parse((await lastOf("builtin-user"))?.secrets ?? "")).toEqual([{ id: body.id, name: "AUDITED_BUILTIN", scope: "builtin", version: 1 }]);
    expect(await eventsOf("platform")).toHaveLength(before);
  });

  it("of a refusal names what was asked for, but nothing that the caller could not know", async () => {
    const token = { org: "refusals", secret_scopes: ["global"] };
    const { body } = await put("team:t", "HIDDEN", "v", { token: { org: "refusals" } });
    await call(`DELETE ${at("team:t", "HIDDEN")}`, { token });
    expect(await lastOf("refusals")).toMatchObject({ action: "secret.delete", outcome: "denied" });
    expect(JSON.parse((await lastOf("refusals"))?.secrets ?? "")).toEqual([{ id: null, version: null, scope: "team:t", name: "HIDDEN" }]);
    expect((await call(`GET /v1/secrets/${body.id}`, { token })).text).not.toMatch(/HIDDEN|team:t/);
  });
});

describe("a refusal's event", () => {
  const without = { org: "asked", scope: "" };

  it.each<[string, Record<string, unknown>, [string | null, string | null][]]>([
    [
      "names in one scope",
      { scopes: ["team:a"], names: ["A", "B"] },
      [
        ["team:a", "A"],
        ["team:a", "B"],
      ],
    ],
    ["a name in several scopes", { scopes: ["team:a", "global"], names: ["A"] }, [[null, "A"]]],
    ["everything in a scope", { scopes: ["team:a"] }, [["team:a", null]]],
    ["everything", {}, []],
  ])("says that a resolve asked for %s", async (_, body, expected) => {
    expect((await resolve(body, { token: without })).status).toBe(403);
    expect(JSON.parse((await lastOf("asked"))?.secrets ?? "")).toEqual(expected.map(([scope, name]) => ({ id: null, version: null, scope, name })));
  });

  it("has the id of a secret that was asked for by it, and so is found by it", async () => {
    const { body } = await put("team:t", "BY_ID", "v", { token: { org: "asked" } });
    const covered = { org: "asked", secret_scopes: ["global"] };
    const unnamed = { id: body.id, version: null, scope: null, name: null };
    for (const [token, named] of [
      [without, unnamed],
      [covered, { ...unnamed, scope: "team:t", name: "BY_ID" }],
    ] as const) {
      await call(`DELETE /v1/secrets/${body.id}`, { token });
      expect(JSON.parse((await lastOf("asked"))?.secrets ?? "")).toEqual([named]);
    }
    const found = (await call(`GET /v1/audit?secret_id=${body.id}&outcome=denied`, { token: { org: "asked" } })).body.events;
    expect(found).toHaveLength(2);
  });

  it("has the token, the trust or the scope that it was about", async () => {
    for (const [request, target] of [
      [`DELETE /v1/tokens/tok_${"0".repeat(32)}`, `tok_${"0".repeat(32)}`],
      ["DELETE /v1/trusts/github", "github"],
      ["DELETE /v1/scopes/team%3At", "team:t"],
    ] as const) {
      await call(request, { token: without });
      expect(await lastOf("asked")).toMatchObject({ outcome: "denied", target });
    }
  });
});

describe("the sequence", () => {
  it("has no gap and no repeat, also when many write at once and some are refused", async () => {
    const token = { org: "busy" };
    const work = Array.from({ length: 10 }, (_, n) => [
      put("global", `BUSY_${n % 3}`, `${n}`, { token }),
      put("global", "BUSY_ONCE", `${n}`, { token, headers: { "If-None-Match": "*" } }),
      call("GET /v1/secrets", { token: { ...token, scope: "" } }),
      resolve({ allow_missing: true }, { token }),
    ]);
    await Promise.all(work.flat());
    const rows = await eventsOf("busy");
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, n) => n + 1));
    expect(rows.filter(({ outcome }) => outcome === "denied")).toHaveLength(10);
    expect(rows.filter(({ action }) => action === "secret.resolve")).toHaveLength(10);
  });

  it("counts in each organization by itself", async () => {
    for (const org of ["seq-a", "seq-b"]) await put("global", "S", "v", { token: { org } });
    for (const org of ["seq-a", "seq-b"]) expect((await lastOf(org))?.seq).toBe(1);
  });

  it("takes no number for what did not happen", async () => {
    const token = { org: "unhappened" };
    await put("global", "U", "v", { token });
    await put("global", "U", "w", { token, headers: { "If-None-Match": "*" } });
    await put("global", "U", "", { token });
    await call(`DELETE ${at("global", "NOT_THERE")}`, { token });
    expect(await eventsOf("unhappened")).toHaveLength(1);
  });
});

describe("when the event cannot be written", () => {
  const token = { org: "unaudited" };
  const SQL =
    "SELECT s.*, v.version AS of, v.wrapped_key, v.kv_key FROM secrets s JOIN versions v ON v.secret_id = s.id WHERE s.org = 'unaudited' ORDER BY 1, 2";
  const rows = async () => (await env.DB.prepare(SQL).all()).results;

  it("no write happens and no value leaves: 503", async () => {
    const { body } = await put("global", "KEPT", "unaudited-value", { token });
    const before = await rows();
    await breakAudit("unaudited");
    const replies = [
      await put("global", "KEPT", "new", { token }),
      await put("global", "NEW", "new", { token }),
      await call("POST /v1/secrets", { token, json: { scope: "global", name: "NEW", value: "new" } }),
      await call(`PATCH /v1/secrets/${body.id}`, { token, json: { description: "new" } }),
      await call(`DELETE ${at("global", "KEPT")}`, { token }),
      await resolve({ names: ["KEPT"] }, { token }),
      await call("GET /v1/resolve/KEPT?format=raw", { token }),
      await call("GET /v1/secrets", { token: { ...token, scope: "" } }),
    ];
    for (const { status, body: problem, text, headers } of replies) {
      expect([status, problem.code]).toEqual([503, "storage-unavailable"]);
      expect(headers.get("Retry-After")).toBe("2");
      expect(text).not.toMatch(/unaudited-value|no audit today/);
    }
    expect(await rows()).toEqual(before);
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM kv_removals WHERE kv_key = ?").bind(before[0]?.kv_key).first("n")).toBe(0);
  });
});

describe("an event of many secrets", () => {
  const scope = `repo:${Array(8).fill("r".repeat(40)).join("/")}`;
  const names = Array.from({ length: 500 }, (_, n) => `${"N".repeat(120)}_${n}`);
  const token = { org: "many", sub: "é".repeat(256), jti: `tok_${"x".repeat(120)}` };
  const headers = { "User-Agent": "é".repeat(4_096), "CF-Connecting-IP": "1".repeat(4_096) };
  const shown = async (limit: number) => (await call(`GET /v1/audit?limit=${limit}`, { token })).body.events as AuditEvent[];
  const bytes = async (table: string) => env.DB.prepare(`SELECT SUM(length(CAST(secrets AS BLOB))) AS n FROM ${table} WHERE org = 'many'`).first<number>("n");

  it("that a dry run compared, or that was denied, has the first of them and says how many there are", async () => {
    const secrets = Object.fromEntries(names.map((name) => [name, "v"]));
    expect(JSON.stringify({ scope, secrets }).length).toBeGreaterThan(65_000);
    for (let n = 0; n < 6; n++) await call("POST /v1/import?dry_run=true", { token, headers, json: { scope, secrets } });
    for (let n = 0; n < 6; n++) await resolve({ scopes: [scope], names: names.slice(0, 100) }, { token: { ...token, scope: "" }, headers });
    const events = await shown(12);
    for (const { action, secrets_total, secrets: named } of events) {
      expect(secrets_total).toBe(action === "secret.import" ? 500 : 100);
      expect(named.map(({ name }) => name)).toEqual(names.slice(0, named.length));
      expect(named.length).toBeGreaterThan(1);
    }
    const sizes = await sizesOf("many");
    expect(sizes).toHaveLength(12);
    // Sixty of them are to stay under 250 kB.
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(12 * 4_096);
    expect(await bytes("audit_lists")).toBeNull();
  });

  it("has all of them where something was done, and stays small in its own row", async () => {
    await call("POST /v1/import", { token, headers, json: { scope, secrets: Object.fromEntries(names.map((name) => [name, "v"])) } });
    const { body, status } = await resolve({ scopes: [scope], inherit: false }, { token, headers });
    expect([status, Object.keys(body.secrets).length]).toEqual([200, 500]);
    await call(`DELETE /v1/scopes/${encodeURIComponent(scope)}?secrets=true`, { token, headers });
    const [deleted, resolved, imported] = await shown(3);
    expect([deleted?.secrets.length, deleted?.secrets_total]).toEqual([200, 200]);
    for (const event of [resolved, imported]) expect(event).toMatchObject({ version: 6, secrets_total: 500 });
    expect(new Set(resolved?.secrets.map(({ name }) => name))).toEqual(new Set(names));
    expect(imported?.secrets.map(({ name }) => name)).toEqual(names);
    const id = imported?.secrets[499]?.id;
    expect((await call(`GET /v1/audit?secret_id=${id}&action=secret.resolve`, { token })).body.events).toEqual([resolved]);
    const limited = await call("GET /v1/audit?limit=1&action=secret.resolve", { token: { ...token, secret_names: [names[3] ?? ""] } });
    expect(limited.body.events).toEqual([{ ...without(resolved), secrets: resolved?.secrets.filter(({ name }) => name === names[3]) }]);
    expect(Math.max(...(await sizesOf("many")))).toBeLessThanOrEqual(4_096);
  });

  const without = ({ secrets_total: _, ...event }: Partial<AuditEvent> = {}) => event;

  it("whatever it says is as it was given, and at most 4 KiB", async () => {
    const text = fc.string({ unit: "grapheme", maxLength: 128 });
    const secret = fc.record({ id: fc.option(text), name: fc.option(text), scope: fc.option(text), version: fc.option(fc.nat()) });
    const call = fc.record({
      secrets: fc.array(secret, { maxLength: 60, size: "max" }),
      outcome: fc.constantFrom("allowed", "denied", "failed"),
      dryRun: fc.boolean(),
      target: fc.option(text),
      userAgent: fc.option(text),
    });
    let seq = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 5, maxLength: 10 }), async (calls) => {
        const actor = { org: "any", subject: "s", tokenId: null, lineage: null, requestId: "req", ip: null };
        const written = await env.DB.batch<{ secrets: string }>(
          calls.map(({ userAgent, target, outcome, dryRun, secrets }) =>
            insertEvent(env.DB, { actor: { ...actor, userAgent }, action: "secret.import", target, outcome, dryRun, at: new Date() }, secrets),
          ),
        );
        const { body } = await call200("GET /v1/audit?limit=10", "any");
        const events = (body.events as AuditEvent[]).filter((event) => event.seq > seq).toReversed();
        for (const [n, { secrets, outcome, dryRun }] of calls.entries()) {
          const { secrets: named = [], secrets_total = named.length } = events[n] ?? {};
          expect([named, secrets_total]).toEqual([secrets.slice(0, named.length), secrets.length]);
          expect(named).toEqual(JSON.parse(written[n]?.results[0]?.secrets ?? ""));
          if (outcome === "denied" || dryRun) expect(named.length).toBeLessThanOrEqual(20);
          else expect(named).toHaveLength(secrets.length);
        }
        seq += calls.length;
      }),
      { numRuns: 20 },
    );
    expect(Math.max(...(await sizesOf("any")))).toBeLessThanOrEqual(4_096);
  });

  const call200 = async (request: string, org: string) => {
    const reply = await call(request, { token: { org } });
    expect(reply.status).toBe(200);
    return reply;
  };
});
