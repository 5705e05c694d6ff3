import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { decodeJwt } from "jose";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { PERMISSIONS } from "../../src/contract/permission.ts";
import { forgetExpiredTokens } from "../../src/worker/grants/forget-expired-tokens.ts";
import worker from "../../src/worker/worker.ts";
import { at, type CallOptions, call, put } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { callInsecure, exchange, githubClaims, githubTrust } from "../support/exchange.ts";
import { startIssuer } from "../support/issuer.ts";
import { mint } from "../support/mint.ts";
import { sign } from "../support/sign.ts";

const ALL = { permissions: [...PERMISSIONS] };
const DAY = 86_400_000;

beforeAll(() => void put("global", "KEY", "v"));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const revoke = (id: string, options = {}) => call(`DELETE /v1/tokens/${id}`, options);
const statusOf = async (token: string) => (await call("GET /v1/whoami", { token })).status;

/** One request of every kind. */
const REQUESTS: [string, string, object | undefined][] = [
  ["a read", `GET ${at("global", "KEY")}`, undefined],
  ["a list", "GET /v1/secrets", undefined],
  ["a write", `PUT ${at("global", "NEW")}`, { value: "x" }],
  ["a create", "POST /v1/secrets", { scope: "global", name: "CREATED", value: "x" }],
  ["a delete", `DELETE ${at("global", "GONE")}`, undefined],
  ["a resolve", "POST /v1/resolve", { names: ["KEY"] }],
  ["a resolve of one", "GET /v1/resolve/KEY", undefined],
  ["an explanation", "GET /v1/explain/KEY", undefined],
  ["a mint", "POST /v1/tokens", { label: "x", permissions: ["secrets:read"], expires_in: 60 }],
  ["a list of tokens", "GET /v1/tokens", undefined],
  ["a revocation", "DELETE /v1/tokens/tok_x", undefined],
  ["a revocation by subject", "POST /v1/revocations", { subject: "nobody" }],
  ["a list of revocations", "GET /v1/revocations", undefined],
  ["whoami", "GET /v1/whoami", undefined],
  ["a trust", "PUT /v1/trusts/x", githubTrust("https://issuer.example.org")],
  ["a list of trusts", "GET /v1/trusts", undefined],
  ["the deletion of a trust", "DELETE /v1/trusts/x", undefined],
];

/** The events of a token, but for those that it was refused: they are written after the reply. */
const countEvents = (id: string) =>
  env.DB.prepare("SELECT COUNT(*) AS n FROM audit_events WHERE token_id = ? AND action <> 'token.refused'").bind(id).first("n");

describe("the very next request of a revoked token is refused:", () => {
  it.each(REQUESTS)("%s", async (_, request, json) => {
    const { id, token } = await mint(ALL);
    expect((await call(request, { token, json })).status).not.toBe(401);
    expect((await revoke(id)).status).toBe(204);
    const reply = await call(request, { token, json });
    expect(reply).toMatchObject({ status: 401, body: { code: "unauthenticated" } });
    expect(reply.headers.get("WWW-Authenticate")).toBe('Bearer error="invalid_token"');
  });

  it("a resolve, and no event says that anything was released", async () => {
    const { id, token } = await mint(ALL);
    const resolve = () => call("POST /v1/resolve", { token, json: { names: ["KEY"] } });
    const events = () => countEvents(id);
    expect([(await resolve()).status, await events()]).toEqual([200, 1]);
    await revoke(id);
    const refused = await resolve();
    expect([refused.status, await events()]).toEqual([401, 1]);
    expect(refused.body).not.toHaveProperty("secrets");
  });

  it("one that would be refused anyway, with 401 and without an event", async () => {
    const { id, token } = await mint({ permissions: ["audit:read"] });
    expect((await call("POST /v1/resolve", { token, json: {} })).status).toBe(403);
    await revoke(id);
    expect((await call("POST /v1/resolve", { token, json: {} })).status).toBe(401);
    expect(await countEvents(id)).toBe(1);
  });

  it("and nothing of it happens", async () => {
    const { id, token } = await mint(ALL);
    await revoke(id);
    await call(`PUT ${at("global", "NEVER")}`, { token, json: { value: "x" } });
    await call("POST /v1/tokens", { token, json: { label: "never", permissions: ["secrets:read"], expires_in: 60 } });
    expect((await call(`GET ${at("global", "NEVER")}`)).status).toBe(404);
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM tokens WHERE label = 'never'").first("n")).toBe(0);
  });
});

// A write reads and verifies what decides first; the write itself happens only if that is still so.
describe("costs no round trip to D1, but for a write that reads nothing itself:", () => {
  it.each<[string, string, object | undefined, number]>([
    ["whoami", "GET /v1/whoami", undefined, 1],
    ["a list", "GET /v1/secrets", undefined, 1],
    ["a read", `GET ${at("global", "KEY")}`, undefined, 1],
    ["a resolve", "POST /v1/resolve", { names: ["KEY"] }, 1],
    ["a mint", "POST /v1/tokens", { label: "x", permissions: ["secrets:read"], expires_in: 60 }, 2],
    ["a list of tokens", "GET /v1/tokens", undefined, 1],
    ["a refusal", "GET /v1/audit/never", undefined, 0],
  ])("%s", async (_, request, json, expected) => {
    const { token } = await mint(ALL);
    const batch = vi.spyOn(env.DB, "batch");
    const prepare = vi.spyOn(env.DB, "prepare");
    await call(request, { token, json });
    expect(batch).toHaveBeenCalledTimes(expected);
    // Whatever is prepared goes into that batch; nothing is run by itself.
    expect(batch.mock.calls.flatMap(([statements]) => statements)).toHaveLength(prepare.mock.calls.length);
  });
});

describe("a token's family", () => {
  it("goes with it: three generations, and nobody else", async () => {
    const [root, stranger] = [await mint(ALL), await mint(ALL)];
    const child = await mint(ALL, { token: root.token });
    const sibling = await mint(ALL, { token: root.token });
    const grandchild = await mint(ALL, { token: child.token });
    const cousin = await mint(ALL, { token: sibling.token });
    await revoke(child.id);
    const family = [root, stranger, sibling, cousin, child, grandchild];
    expect(await Promise.all(family.map(({ token }) => statusOf(token)))).toEqual([200, 200, 200, 200, 401, 401]);
    await revoke(root.id);
    expect(await Promise.all(family.map(({ token }) => statusOf(token)))).toEqual([401, 200, 401, 401, 401, 401]);
  });

  it("goes with it though a generation in between has expired and been forgotten", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const root = await mint({ ...ALL, expires_in: 31_536_000 });
    const short = await mint({ ...ALL, expires_in: 60 }, { token: root.token });
    const late = await mint({ ...ALL, expires_in: 31_536_000 }, { token: short.token });
    const childless = await mint({ ...ALL, expires_in: 60 }, { token: root.token });
    vi.setSystemTime(Date.now() + 30 * DAY);
    await worker.scheduled(createScheduledController({ scheduledTime: new Date() }), env);
    const left = await env.DB.prepare("SELECT id FROM tokens WHERE id IN (?, ?)").bind(short.id, childless.id).all();
    expect(left.results).toEqual([{ id: short.id }]);
    await revoke(root.id);
    expect(await statusOf(late.token)).toBe(401);
  });

  it("is forgotten from the youngest on, a week after it expired", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const parent = await mint({ ...ALL, expires_in: 60 });
    const child = await mint({ ...ALL, expires_in: 60 }, { token: parent.token });
    const count = () => env.DB.prepare("SELECT COUNT(*) AS n FROM tokens WHERE id IN (?, ?)").bind(parent.id, child.id).first("n");
    const run = async (days: number) => {
      const now = Date.now();
      vi.setSystemTime(now + days * DAY);
      // The first run after more than a day only records itself.
      for (let n = 0; n < 2; n++) await worker.scheduled(createScheduledController(), env);
      vi.setSystemTime(now);
      return count();
    };
    expect([await run(6), await run(8), await run(8)]).toEqual([2, 1, 0]);
  });
});

describe("tokens exchanged under a trust", () => {
  it("and what they minted are revoked with the trust, and others are not", async () => {
    const issuer = await startIssuer();
    for (const name of ["github", "other"])
      await callInsecure(`PUT /v1/trusts/${name}`, { json: { ...githubTrust(issuer.url), permissions: ["tokens:write", "secrets:read"] } });
    const exchanged = async (audience: string): Promise<string> =>
      (await exchange(await issuer.sign(githubClaims(issuer.url)), { audience })).body.access_token;
    const [one, two, other] = [await exchanged("acme/github"), await exchanged("acme/github"), await exchanged("acme/other")];
    const child = await mint({ secret_scopes: ["repo:acme/api"] }, { token: one });
    expect((await call("DELETE /v1/trusts/github")).status).toBe(204);
    expect(await Promise.all([one, two, child.token, other].map(statusOf))).toEqual([401, 401, 401, 200]);
    expect((await exchange(await issuer.sign(githubClaims(issuer.url)))).status).toBe(400);
  });

  it("of another organization's trust of the same name stay", async () => {
    const issuer = await startIssuer();
    for (const org of ["acme", "globex"]) await callInsecure("PUT /v1/trusts/same", { token: { org }, json: githubTrust(issuer.url) });
    const token = (await exchange(await issuer.sign(githubClaims(issuer.url)), { audience: "globex/same" })).body.access_token;
    await call("DELETE /v1/trusts/same");
    expect(await statusOf(token)).toBe(200);
  });

  it("may be revoked one by one", async () => {
    const issuer = await startIssuer();
    await callInsecure("PUT /v1/trusts/single", { json: githubTrust(issuer.url) });
    const token = (await exchange(await issuer.sign(githubClaims(issuer.url)), { audience: "acme/single" })).body.access_token;
    expect((await revoke(decodeJwt(token).jti ?? "")).status).toBe(204);
    expect(await statusOf(token)).toBe(401);
  });
});

describe("revoking", () => {
  it("is recorded as token.revoke, with the id", async () => {
    const { id } = await mint();
    await revoke(id);
    const event = await env.DB.prepare("SELECT action, outcome FROM audit_events WHERE target = ? ORDER BY seq DESC").bind(id).first();
    expect(event).toEqual({ action: "token.revoke", outcome: "allowed" });
  });

  it("twice is like once, and keeps the time", async () => {
    const { id } = await mint();
    await revoke(id);
    const time = () => env.DB.prepare("SELECT revoked_at FROM tokens WHERE id = ?").bind(id).first("revoked_at");
    const before = await time();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 1000 });
    expect((await revoke(id)).status).toBe(204);
    expect(await time()).toBe(before);
  });

  it("oneself is possible, once", async () => {
    const { id, token } = await mint(ALL);
    expect((await revoke(id, { token })).status).toBe(204);
    expect((await revoke(id, { token })).status).toBe(401);
  });

  it.each(["tok_nope", "trust:github", "x".repeat(128), "%00", "' OR 1=1 --"])("what is no token's id is 404: %s", async (id) => {
    expect(await revoke(encodeURIComponent(id))).toMatchObject({ status: 404, body: { code: "token-not-found" } });
  });

  it("another organization's token is 404 and changes nothing", async () => {
    const { id, token } = await mint();
    expect((await revoke(id, { token: { org: "globex" } })).status).toBe(404);
    expect(await statusOf(token)).toBe(200);
  });

  it("needs tokens:write", async () => {
    const { id, token } = await mint();
    const scope = PERMISSIONS.filter((held) => held !== "tokens:write").join(" ");
    expect((await revoke(id, { token: { scope } })).status).toBe(403);
    expect(await statusOf(token)).toBe(200);
  });

  it("a token that reaches further than the caller is refused, one within is not", async () => {
    const [wide, inside] = [await mint({ secret_scopes: ["repo:acme/*"] }), await mint({ secret_scopes: ["repo:acme/api"] })];
    const token = { secret_scopes: ["repo:acme/api*"] };
    expect((await revoke(wide.id, { token })).status).toBe(403);
    expect((await revoke((await mint()).id, { token })).status).toBe(403);
    expect((await revoke(inside.id, { token })).status).toBe(204);
    expect(await statusOf(wide.token)).toBe(200);
  });
});

const revocation = (json: object, options: CallOptions = {}) => call("POST /v1/revocations", { ...options, json });

describe("a revocation", () => {
  it("by id ends a token that has no row, and what it minted, which DELETE takes as well", async () => {
    const claims = { org: "rowless", jti: "tok_rowless", scope: PERMISSIONS.join(" ") };
    const [maker, operator] = [await sign(claims), { org: "rowless" }];
    expect((await revoke("tok_rowless", { token: operator })).status).toBe(404);
    const child = await mint(ALL, { token: maker });
    expect((await revoke("tok_rowless", { token: operator })).status).toBe(204);
    expect([await statusOf(maker), await statusOf(child.token)]).toEqual([401, 401]);
    const childless = await sign({ ...claims, jti: "tok_childless" });
    const reply = await revocation({ token_id: "tok_childless" }, { token: operator });
    expect(reply).toMatchObject({ status: 201, body: { kind: "token", token_id: "tok_childless", issuer: null, subject: null, suspended_trusts: [] } });
    expect(await statusOf(childless)).toBe(401);
  });

  it("by subject ends all tokens of that subject, with what they minted, and of no other issuer's or organization's", async () => {
    const org = "by-subject";
    const [first, second] = [await mint({ ...ALL, label: "leaver" }, { token: { org } }), await mint({ ...ALL, label: "leaver" }, { token: { org } })];
    const child = await mint({ label: "child" }, { token: first.token });
    const other = await mint({ ...ALL, label: "stays" }, { token: { org } });
    expect((await revocation({ subject: "token:leaver", issuer: "https://idp.example.org" }, { token: { org } })).body).toMatchObject({
      ...{ kind: "subject", subject: "token:leaver", issuer: "https://idp.example.org" },
    });
    expect((await revocation({ subject: "token:leaver" }, { token: { org: "elsewhere" } })).status).toBe(201);
    expect(await Promise.all([first, second].map(({ token }) => statusOf(token)))).toEqual([200, 200]);
    expect((await revocation({ subject: "token:leaver" }, { token: { org } })).body).toMatchObject({ kind: "subject", issuer: null });
    expect(await Promise.all([first, second, other].map(({ token }) => statusOf(token)))).toEqual([401, 401, 200]);
    expect(await statusOf(child.token)).toBe(401);
  });

  it("by time ends all that were issued until then, the caller's own too, and nothing later", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Math.ceil(Date.now() / 1000) * 1000 });
    const org = "by-time";
    const early = await mint(ALL, { token: { org } });
    const until = new Date().toISOString();
    vi.setSystemTime(Date.now() + 1000);
    const late = await mint(ALL, { token: { org, jti: "tok_new" } });
    const [below, stays] = [await mint({}, { token: early.token }), await mint({}, { token: late.token })];
    const reply = await revocation({ issued_before: until }, { token: early.token });
    expect(reply).toMatchObject({ status: 201, body: { kind: "issued-before", issued_before: until } });
    const others = [early, below, late, stays, await mint(ALL)];
    expect(await Promise.all(others.map(({ token }) => statusOf(token)))).toEqual([401, 401, 200, 200, 200]);
    const future = new Date(Date.now() + 2000).toISOString();
    expect(await revocation({ issued_before: future }, { token: { org } })).toMatchObject({ status: 400, body: { errors: [{ pointer: "/issued_before" }] } });
  });

  it.each(["subject", "time"])("by %s also ends a token that is minted while it is made", async (by) => {
    const org = `meanwhile-${by}`;
    vi.useFakeTimers({ toFake: ["Date"], now: Math.ceil(Date.now() / 1000) * 1000 });
    const minting = await mint({ ...ALL, label: "busy" }, { token: { org } });
    const until = new Date().toISOString();
    vi.setSystemTime(Date.now() + 1000);
    const batch = env.DB.batch.bind(env.DB);
    let batches = 0;
    let child = { id: "", token: "" };
    vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
      // What is to end, and what has ended already, was read by the first two.
      batches += 1;
      if (batches === 3) child = await mint({ label: "late" }, { token: minting.token });
      return batch(statements);
    });
    const body = by === "subject" ? { subject: "token:busy" } : { issued_before: until };
    expect((await revocation(body, { token: { org } })).status).toBe(201);
    vi.restoreAllMocks();
    const { id, token } = child;
    expect(id).toMatch(/^tok_/);
    expect(await Promise.all([minting.token, token].map(statusOf))).toEqual([401, 401]);
  });

  it("of what is revoked already is answered as it was, and adds nothing that calls would go by", async () => {
    const org = "again";
    const token = { org, iat: Math.floor(Date.now() / 1000) + 5 };
    const { id } = await mint({}, { token: { org } });
    const rows = () => env.DB.prepare("SELECT COUNT(*) AS n FROM revocations WHERE org = ?").bind(org).first("n");
    const times = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"] as const;
    const all = [{ subject: "leaver" }, { token_id: id }, { token_id: "tok_nowhere" }, { issued_before: times[1] }];
    const first = await Promise.all(all.map(async (body) => (await revocation(body, { token })).body));
    const before = await rows();
    expect(await Promise.all(all.map(async (body) => (await revocation(body, { token })).body))).toEqual(first);
    expect((await revocation({ issued_before: times[0] }, { token })).body, "a later one covers it").toEqual(first[3]);
    expect(await rows()).toBe(before);
    expect((await revocation({ issued_before: "2026-01-03T00:00:00Z" }, { token })).body.number).toBe(Number(before) + 1);
  });

  it("is asked of an index, however many times there are", async () => {
    const sql = "EXPLAIN QUERY PLAN SELECT 1 FROM revocations r WHERE r.org = 'x' AND r.kind = 'before' AND CAST(r.value AS INTEGER) >= 5";
    const plan = (await env.DB.prepare(sql).all<{ detail: string }>()).results.map(({ detail }) => detail).join();
    expect(plan).toContain("revocations_by_issue (org=? AND <expr>>?)");
  });

  it("beyond the quota is refused, but for what is in the list, and for everything: that is never too much", async () => {
    const quota = callWith({ QUOTAS: JSON.stringify({ revocations: 2 }) });
    const token = { org: "many-revoked" };
    const { id } = await mint({}, { token });
    const revoking = (body: object) => quota("POST /v1/revocations", { token, json: body });
    for (const subject of ["one", "two", "one"]) expect((await revoking({ subject })).status).toBe(201);
    for (const body of [{ subject: "three" }, { token_id: "tok_nowhere" }, { issued_before: "2026-01-01T00:00:00Z" }])
      expect(await revoking(body)).toMatchObject({ status: 422, body: { code: "quota-exceeded", detail: expect.stringContaining("quota revocations of 2") } });
    expect((await quota(`DELETE /v1/tokens/${id}`, { token })).status).toBe(204);
    expect((await quota("GET /v1/usage", { token })).body.usage.revocations).toEqual({ used: 3, limit: 2 });
    expect((await revoking({ issued_before: new Date().toISOString() })).status).toBe(201);
  });

  it.each<[string, object]>([
    ["nothing", {}],
    ["two things", { token_id: "tok_x", subject: "x" }],
    ["a time of one issuer", { issued_before: "2026-01-01T00:00:00Z", issuer: "https://x.example.org" }],
    ["an empty subject", { subject: "" }],
    ["no time", { issued_before: "yesterday" }],
    ["an unknown field", { subject: "x", until: "y" }],
  ])("of %s is refused", async (_, json) => {
    expect(await revocation(json)).toMatchObject({ status: 400, body: { code: "invalid-request" } });
  });

  it("takes as much as it ends: whoever may only mint ends neither its maker nor anything that is not known, and ends itself", async () => {
    const org = "lesser";
    const maker = await mint(ALL, { token: { org } });
    const minting = await mint({ permissions: ["tokens:write", "secrets:read"] }, { token: maker.token });
    const child = await mint({ permissions: ["secrets:read"] }, { token: minting.token });
    const by = { token: minting.token };
    const wants = [{ token_id: maker.id }, { token_id: "tok_unknown" }, { subject: "token:ci" }, { issued_before: new Date().toISOString() }];
    for (const json of wants) expect((await revocation(json, by)).status, JSON.stringify(json)).toBe(403);
    expect((await revoke(maker.id, by)).status).toBe(403);
    expect((await revoke(child.id, by)).status).toBe(204);
    expect((await revoke(minting.id, by)).status).toBe(204);
    expect([await statusOf(maker.token), await statusOf(child.token), await statusOf(minting.token)]).toEqual([200, 401, 401]);
    const denied = await env.DB.prepare("SELECT COUNT(*) AS n FROM audit_events WHERE org = ? AND action = 'token.revoke' AND outcome = 'denied'")
      .bind(org)
      .first("n");
    expect(denied).toBe(5);
  });

  it("is on record with what it names, and in the list, newest first, page after page", async () => {
    const token = { org: "listed" };
    const { id } = await mint({ secret_scopes: ["repo:acme/api"] }, { token });
    await revoke(id, { token });
    await revocation({ subject: "alice", issuer: "https://idp.example.org" }, { token });
    await revocation({ token_id: "j", issuer: "https://idp.example.org" }, { token });
    const events = await env.DB.prepare("SELECT target FROM audit_events WHERE org = 'listed' AND action = 'token.revoke' ORDER BY seq").all();
    expect(events.results.map(({ target }) => target)).toEqual([id, 'subject:["https://idp.example.org","alice"]', '["https://idp.example.org","j"]']);
    const first = (await call("GET /v1/revocations?limit=2", { token })).body;
    const second = (await call(`GET /v1/revocations?limit=2&cursor=${first.next_cursor}`, { token })).body;
    const nothing = { token_id: null, subject: null, issuer: null, trust: null, issued_before: null, revoked_at: expect.any(String) };
    expect([...first.revocations, ...second.revocations]).toEqual([
      { ...nothing, number: 3, kind: "token", token_id: "j", issuer: "https://idp.example.org" },
      { ...nothing, number: 2, kind: "subject", subject: "alice", issuer: "https://idp.example.org" },
      { ...nothing, number: 1, kind: "token", token_id: id },
    ]);
    expect(second.next_cursor).toBeNull();
    const numbers = async (secret_scopes: string[]) =>
      (await call("GET /v1/revocations", { token: { ...token, secret_scopes } })).body.revocations.map(({ number }: { number: number }) => number);
    expect([await numbers(["repo:acme/*"]), await numbers(["repo:globex/*"])]).toEqual([[1], []]);
  });
});

describe("a trust whose maker is revoked", () => {
  /** An organization with a maker of trusts, a trust that it made in an issuer, and how identity tokens are exchanged under it. */
  async function world() {
    const org = `made-${crypto.randomUUID().slice(0, 8)}`;
    const issuer = await startIssuer();
    const grandparent = await mint(ALL, { token: { org } });
    const maker = await mint({ ...ALL, label: "maker" }, { token: grandparent.token });
    const trust = { ...githubTrust(issuer.url), permissions: ["secrets:read", "tokens:write", "trusts:write"], secret_scopes: undefined };
    const put = (name: string, token: CallOptions["token"], fields: object = {}) =>
      callInsecure(`PUT /v1/trusts/${name}`, { ...(token !== undefined && { token }), json: { ...trust, ...fields } });
    const swap = async (name = "ci") => await exchange(await issuer.sign(githubClaims(issuer.url)), { audience: `${org}/${name}` });
    expect((await put("ci", maker.token)).body).toMatchObject({ suspended: false });
    const suspended = async (name = "ci") => (await call(`GET /v1/trusts/${name}`, { token: { org } })).body.suspended;
    return { org, operator: { org }, grandparent, maker, put, swap, suspended };
  }

  it.each<[string, (made: Awaited<ReturnType<typeof world>>) => Promise<unknown>]>([
    ["by its id", ({ maker, operator }) => revoke(maker.id, { token: operator })],
    ["with its own maker", ({ grandparent, operator }) => revoke(grandparent.id, { token: operator })],
    ["by its subject", ({ operator }) => revocation({ subject: "token:maker" }, { token: operator })],
    ["with all of its time", ({ operator }) => revocation({ issued_before: new Date().toISOString() }, { token: operator })],
  ])("%s is suspended, and what was exchanged under it ends; put again by a good token it goes on", async (_, end) => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const made = await world();
    const before = (await made.swap()).body.access_token;
    await end(made);
    vi.setSystemTime(Date.now() + 2000);
    expect([await made.suspended(), await statusOf(before), (await made.swap()).status]).toEqual([true, 401, 400]);
    expect((await call("GET /v1/trusts", { token: { ...made.operator } })).body.trusts).toMatchObject([{ name: "ci", suspended: true }]);
    expect((await made.put("ci", made.operator)).body).toMatchObject({ suspended: false });
    const after = (await made.swap()).body.access_token;
    expect([await made.suspended(), await statusOf(after), await statusOf(before)]).toEqual([false, 200, 401]);
  });

  it("takes along the trusts that were made under it, is named by the reply, and leaves others alone", async () => {
    const made = await world();
    await made.put("below", (await made.swap()).body.access_token);
    await made.put("beside", made.operator);
    const [below, beside] = [(await made.swap("below")).body.access_token, (await made.swap("beside")).body.access_token];
    const reply = await revocation({ token_id: made.maker.id }, { token: made.operator });
    expect(reply.body.suspended_trusts.sort()).toEqual(["below", "ci"]);
    expect([await statusOf(below), await statusOf(beside)]).toEqual([401, 200]);
    expect([await made.suspended("below"), await made.suspended("beside")]).toEqual([true, false]);
  });

  it("stays with its maker when another token puts the same, and is another's when it says something else", async () => {
    const made = await world();
    await made.put("ci", made.operator);
    await made.put("moved", made.maker.token);
    await made.put("moved", made.operator, { expires_in: 600 });
    await revoke(made.maker.id, { token: made.operator });
    expect([await made.suspended(), await made.suspended("moved")]).toEqual([true, false]);
  });

  it("that a token changes which was exchanged under it goes on, for as long as its first maker is good", async () => {
    const made = await world();
    const own = (await made.swap()).body.access_token;
    expect((await made.put("ci", own, { expires_in: 600 })).status).toBe(200);
    expect([await statusOf(own), await made.suspended(), (await made.swap()).status]).toEqual([401, false, 200]);
    await revoke(made.maker.id, { token: made.operator });
    expect(await made.suspended()).toBe(true);
  });

  it("keeps the row of its maker, through which what that descends from is revoked, for as long as it is there", async () => {
    const { id, token } = await mint(ALL, { token: { org: "makers" } });
    expect((await call("PUT /v1/trusts/kept", { token, json: githubTrust("https://issuer.example.org") })).status).toBe(201);
    const forget = () => forgetExpiredTokens({ db: env.DB, now: new Date(Date.now() + 60 * DAY) });
    const row = () => env.DB.prepare("SELECT id FROM tokens WHERE id = ?").bind(id).first("id");
    await forget();
    expect(await row()).toBe(id);
    await call("DELETE /v1/trusts/kept", { token: { org: "makers" } });
    await forget();
    expect(await row()).toBeNull();
  });

  it("does not wait for one that is not what was written, and does not come to life with that", async () => {
    const made = await world();
    const maker = await env.DB.prepare("SELECT maker FROM trusts WHERE org = ?").bind(made.org).first<string>("maker");
    await env.DB.prepare("UPDATE trusts SET maker = 'bent' WHERE org = ?").bind(made.org).run();
    expect(await call("GET /v1/trusts/ci", { token: made.operator })).toMatchObject({ status: 500, body: { code: "integrity-failed" } });
    expect((await revoke(made.maker.id, { token: made.operator })).status).toBe(204);
    await env.DB.prepare("UPDATE trusts SET maker = ? WHERE org = ?").bind(maker, made.org).run();
    expect([await made.suspended(), (await made.swap()).status]).toEqual([true, 400]);
  });
});
