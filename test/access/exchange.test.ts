import { env } from "cloudflare:workers";
import { decodeJwt } from "jose";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { forgetIdentities } from "../../src/worker/grants/forget-identities.ts";
import { put } from "../support/call.ts";
import { callInsecure as call, exchange, FORM, githubClaims, githubTrust, REFUSED } from "../support/exchange.ts";
import { type Issuer, makeKey, startIssuer } from "../support/issuer.ts";

let issuer: Issuer;

beforeAll(async () => {
  issuer = await startIssuer("RS256");
  expect((await call("PUT /v1/trusts/github", { json: githubTrust(issuer.url) })).status).toBe(201);
  await put("repo:acme/api", "DEPLOY_KEY", "of-api");
  await put("repo:acme/web", "DEPLOY_KEY", "of-web");
  await put("global", "WIDE", "of-all");
});

const identity = (claims: object = {}) => issuer.sign({ ...githubClaims(issuer.url), ...claims });

async function exchanged(claims: object = {}, form = {}) {
  const reply = await exchange(await identity(claims), form);
  expect(reply.status).toBe(200);
  return reply.body.access_token as string;
}

describe("a good identity token", () => {
  it("is exchanged as RFC 8693 says, for fifteen minutes", async () => {
    const reply = await exchange(await identity());
    expect(reply.status).toBe(200);
    expect(reply.headers.get("Cache-Control")).toBe("no-store");
    expect(reply.body).toEqual({
      access_token: expect.any(String),
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
      token_type: "Bearer",
      expires_in: 900,
      scope: "secrets:read secrets:resolve",
    });
    const claims = decodeJwt(reply.body.access_token);
    expect(claims).toMatchObject({ org: "acme", sub: "trust:github:repo:acme/api:ref:refs/heads/main", secret_scopes: ["repo:acme/api"] });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(900);
  });

  it.each(["ES256", "EdDSA", "PS256"])("may be signed with %s", async (alg) => {
    const other = await startIssuer(alg);
    await call(`PUT /v1/trusts/${alg}`, { json: githubTrust(other.url) });
    const reply = await exchange(await other.sign(githubClaims(other.url)), { audience: `acme/${alg}` });
    expect(reply.status).toBe(200);
  });

  it("gives a token with the trust's lease_seconds", async () => {
    await call("PUT /v1/trusts/polling", { json: { ...githubTrust(issuer.url), lease_seconds: 45 } });
    expect(decodeJwt(await exchanged({}, { audience: "acme/polling" }))).toMatchObject({ lease_seconds: 45 });
    expect(decodeJwt(await exchanged())).not.toHaveProperty("lease_seconds");
  });

  it("gives a token that resolves what lies in its own repo's scope", async () => {
    const reply = await call("POST /v1/resolve", { token: await exchanged(), json: { names: ["DEPLOY_KEY"] } });
    expect(reply.body.secrets).toMatchObject({ DEPLOY_KEY: { value: "of-api", scope: "repo:acme/api" } });
  });

  it.each([
    ["another repo's scope", "POST /v1/resolve", { scopes: ["repo:acme/web"], names: ["DEPLOY_KEY"] }],
    ["a wider scope", "POST /v1/resolve", { scopes: ["global"], names: ["WIDE"] }],
    ["another verb", "PUT /v1/scopes/repo%3Aacme%2Fapi/secrets/DEPLOY_KEY", { value: "x" }],
    ["minting", "POST /v1/tokens", { label: "x", permissions: ["secrets:resolve"], secret_scopes: ["repo:acme/api"], expires_in: 60 }],
  ])("gives a token that is refused %s", async (_, request, json) => {
    expect((await call(request, { token: await exchanged(), json })).status).toBe(403);
  });

  it("gives each repository of the organization its own scope under one trust", async () => {
    const token = await exchanged({ repository: "acme/web", repository_id: 42 });
    const reply = await call("POST /v1/resolve", { token, json: { names: ["DEPLOY_KEY"] } });
    expect(reply.body.secrets.DEPLOY_KEY).toMatchObject({ value: "of-web", scope: "repo:acme/web" });
  });

  it("is recorded as token.exchange, with the workload as the actor", async () => {
    const id = decodeJwt(await exchanged()).jti ?? "";
    const event = await env.DB.prepare("SELECT org, actor, issuer, action, outcome, target FROM audit_events WHERE token_id = ?").bind(id).first();
    const actor = "trust:github:repo:acme/api:ref:refs/heads/main";
    expect(event).toEqual({ org: "acme", actor, issuer: issuer.url, action: "token.exchange", outcome: "allowed", target: "github" });
  });

  it("may name the audience among others, and be a minute off the clock", async () => {
    const now = Math.floor(Date.now() / 1000);
    expect((await exchange(await identity({ aud: ["other", "keyhole"] }))).status).toBe(200);
    expect((await exchange(await identity({ nbf: now + 50 }))).status).toBe(200);
    expect((await exchange(await identity({ exp: now - 50 }))).status).toBe(200);
  });
});

const past = () => Math.floor(Date.now() / 1000) - 90;

describe("refuses, all in the same words, an identity token", () => {
  it.each<[string, () => Record<string, unknown>]>([
    ["that is expired", () => ({ exp: past() })],
    ["that is not valid yet", () => ({ nbf: past() + 240 })],
    ["for another audience", () => ({ aud: "other" })],
    ["for an audience that only begins alike", () => ({ aud: "keyhole2" })],
    ["for an empty list of audiences", () => ({ aud: [] })],
    ["of another issuer", () => ({ iss: "https://token.actions.githubusercontent.com" })],
    ["of an issuer that differs by a slash", () => ({ iss: `${issuer.url}/` })],
    ["of an issuer in upper case", () => ({ iss: issuer.url.replace("http", "HTTP") })],
    ["of another owner", () => ({ repository_owner: "evil" })],
    ["of an owner that only begins alike", () => ({ repository_owner: "acme-evil" })],
    ["of an owner in another case", () => ({ repository_owner: "Acme" })],
    ["of owners none of which is the one", () => ({ repository_owner: ["evil", ["acme"], null] })],
    ["of an owner that is an object", () => ({ repository_owner: { toString: "acme" } })],
    ["of another branch", () => ({ ref: "refs/heads/feature" })],
    ["of another event", () => ({ event_name: "pull_request" })],
    ["of another repository's number", () => ({ repository_id: 43 })],
    ["of another workflow", () => ({ job_workflow_ref: "evil/api/.github/workflows/deploy.yml@refs/heads/main" })],
    ["whose repository is empty", () => ({ repository: "" })],
    ["whose times are texts", () => ({ exp: "9999999999" })],
    ["whose subject is a number", () => ({ sub: 7 })],
    ...["iss", "aud", "exp", "iat", "sub", "repository", "repository_owner", "repository_id", "ref", "event_name", "job_workflow_ref"].map(
      (claim): [string, () => Record<string, unknown>] => [`without ${claim}`, () => ({ [claim]: undefined })],
    ),
    ...["repository", "repository_owner", "ref", "sub", "iss", "aud", "exp", "iat", "nbf"].map((claim): [string, () => Record<string, unknown>] => [
      `whose ${claim} is null`,
      () => ({ [claim]: null }),
    ]),
  ])("%s", async (_, claims) => {
    const reply = await exchange(await identity(claims()));
    expect(reply.status).toBe(400);
    expect(reply.body).toEqual(REFUSED);
    expect(reply.headers.get("Content-Type")).toMatch(/^application\/json/);
  });

  it("whose number is so large that another one is read as the same", async () => {
    const claims = { repository: "acme/api", repository_id: "9007199254740992" };
    expect((await call("PUT /v1/trusts/large", { json: { ...githubTrust(issuer.url), claims } })).status).toBe(201);
    const withId = async (repository_id: unknown) => (await exchange(await identity({ repository_id }), { audience: "acme/large" })).status;
    // What was sent may have ended with 3.
    expect([Number("9007199254740993"), await withId(2 ** 53)]).toEqual([2 ** 53, 400]);
    expect(await withId("9007199254740992")).toBe(200);
  });

  it.each([
    ["under a trust that there is not", "acme/nope"],
    ["under another organization's name for the trust", "globex/github"],
  ])("%s", async (_, audience) => {
    expect(await exchange(await identity(), { audience })).toMatchObject({ status: 400, body: REFUSED });
  });

  it("of organization A used with organization B's trust in the same issuer", async () => {
    const ofGlobex = { ...githubTrust(issuer.url), claims: { repository_owner: "globex" } };
    await call("PUT /v1/trusts/github", { token: { org: "globex" }, json: ofGlobex });
    expect(await exchange(await identity(), { audience: "globex/github" })).toMatchObject({ status: 400, body: REFUSED });
    await call("DELETE /v1/trusts/github", { token: { org: "globex" } });
  });

  it("and records nothing of it but that and how often: the whole world has identity tokens of a public issuer", async () => {
    const count = () => env.DB.prepare("SELECT COUNT(*) AS n FROM audit_events WHERE action <> 'token.refused'").first("n");
    const before = await count();
    await exchange(await identity({ repository_owner: "evil" }));
    expect(await count()).toBe(before);
  });
});

describe("an identity token that is exchanged again", () => {
  const START = Date.now();
  const from =
    (ip: string): typeof call =>
    (request, options) =>
      call(request, { ...options, headers: { "CF-Connecting-IP": ip } });
  const trust = (reuse?: string) => call("PUT /v1/trusts/reuse", { json: { ...githubTrust(issuer.url), reuse } });
  const swap = (token: string, ip = "192.0.2.1") => exchange(token, { audience: "acme/reuse" }, from(ip));
  const live = async (replies: readonly { status: number; body: { access_token: string } }[]) => {
    const tried = replies.filter(({ status }) => status === 200).map(({ body }) => call("GET /v1/whoami", { token: body.access_token }));
    return (await Promise.all(tried)).map(({ status }) => status);
  };
  const actions = async (reply: { headers: Headers }) => {
    const id = reply.headers.get("X-Request-Id");
    const { results } = await env.DB.prepare("SELECT action, outcome, target FROM audit_events WHERE request_id = ? ORDER BY seq").bind(id).all();
    return results.map(({ action, outcome, target }) => [action, outcome, target]);
  };

  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: START }));
  afterEach(() => void vi.useRealTimers());

  it("under `once` leaves one live token of forty, all at once or one after the other", async () => {
    await trust("once");
    const [together, apart] = [await identity(), await identity()];
    const replies = await Promise.all(Array.from({ length: 20 }, () => swap(together)));
    expect(replies.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect((await live(replies)).filter((status) => status === 200)).toEqual([200]);
    const later = [];
    for (let n = 0; n < 5; n++) later.push(await swap(apart));
    expect(await live(later)).toEqual([401, 401, 401, 401, 200]);
  });

  it("under `once` is answered anew where the reply was lost, and what was given first is revoked, on record", async () => {
    await trust("once");
    const token = await identity();
    const first = await swap(token, "2001:db8:1:2::1");
    vi.setSystemTime(START + 59_999);
    const second = await swap(token, "2001:db8:1:2:ffff::9");
    expect(await live([first, second])).toEqual([401, 200]);
    expect(await actions(second)).toEqual([
      ["token.revoke", "allowed", decodeJwt(first.body.access_token).jti],
      ["token.exchange", "allowed", "reuse"],
    ]);
  });

  it.each<[string, string, object]>([
    ["a token", "POST /v1/tokens", { label: "of-first", permissions: ["secrets:read"], secret_scopes: ["repo:acme/api"], expires_in: 60 }],
    ["a trust", "PUT /v1/trusts/of-first", { ...githubTrust("https://issuer.example.org"), permissions: ["secrets:read"], secret_scopes: ["repo:acme/api"] }],
  ])("under `once` is refused once %s was made with what it gave first: that reply was not lost, and nothing of it ends", async (_, request, json) => {
    const permissions = ["secrets:read", "tokens:write", "trusts:write"];
    await call("PUT /v1/trusts/reuse", { json: { ...githubTrust(issuer.url), permissions, reuse: "once" } });
    const token = await identity();
    const first = await swap(token);
    const made = await call(request, { token: first.body.access_token, json });
    expect(made.status).toBe(201);
    const second = await swap(token);
    expect([second.status, await actions(second)]).toEqual([400, [["token.exchange", "denied", "reuse"]]]);
    expect(await live([first])).toEqual([200]);
    const alive = made.body.token ? (await call("GET /v1/whoami", { token: made.body.token })).status : (await call("GET /v1/trusts/of-first")).body.suspended;
    expect([200, false]).toContain(alive);
    await call("DELETE /v1/trusts/of-first");
  });

  it.each<[string, number, string]>([
    ["from another address", 0, "192.0.2.2"],
    ["from another network", 0, "2001:db8:1:3::1"],
    ["a minute later", 60_000, "192.0.2.1"],
    ["a minute later, from elsewhere", 60_000, "203.0.113.1"],
  ])("under `once` is refused and on record %s; the first token lives on", async (_, later, ip) => {
    await trust("once");
    const token = await identity();
    const first = await swap(token);
    vi.setSystemTime(START + later);
    const second = await swap(token, ip);
    expect(second).toMatchObject({ status: 400, body: REFUSED });
    expect(await live([first])).toEqual([200]);
    expect(await actions(second)).toEqual([["token.exchange", "denied", "reuse"]]);
  });

  it("under `once` is refused in another signature's spelling and under the same trust replaced", async () => {
    await trust("once");
    const token = await identity();
    await swap(token);
    await call("DELETE /v1/trusts/reuse");
    await trust("once");
    vi.setSystemTime(START + 60_000);
    expect((await swap(token)).status).toBe(400);
    expect((await swap(await identity())).status).toBe(200);
  });

  it("under `until-expiry` is exchanged as often as asked, and another address is on record as reused", async () => {
    expect((await trust()).body.reuse).toBe("until-expiry");
    const token = await identity();
    const [first, second, third] = [await swap(token), await swap(token), await swap(token, "198.51.100.7")];
    expect(await live([first, second, third])).toEqual([200, 200, 200]);
    expect(await actions(second)).toEqual([["token.exchange", "allowed", "reuse"]]);
    expect(await actions(third)).toEqual([
      ["token.reused", "allowed", "reuse"],
      ["token.exchange", "allowed", "reuse"],
    ]);
  });

  it("was known before the trust took tokens once", async () => {
    await trust();
    const token = await identity();
    await swap(token);
    await trust("once");
    expect((await swap(token, "198.51.100.7")).status).toBe(400);
  });

  it("is forgotten once it is refused for its age, and not before", async () => {
    await trust("once");
    const token = await identity();
    await swap(token);
    const known = () => env.DB.prepare("SELECT COUNT(*) AS n FROM used_identities WHERE trust = 'reuse'").first("n");
    const before = await known();
    const { exp = 0 } = decodeJwt(token);
    await forgetIdentities({ db: env.DB, now: new Date((exp + 60) * 1000) });
    expect(await known()).toBe(before);
    vi.setSystemTime((exp + 60) * 1000);
    expect((await swap(token)).status).toBe(400);
    await forgetIdentities({ db: env.DB, now: new Date((exp + 300) * 1000) });
    expect(await known()).toBe(0);
  });

  it("gives a token that outlives it by no more than `expires_in`", async () => {
    await trust();
    const exp = Math.floor(START / 1000) - 50;
    expect((await swap(await identity({ exp }))).body.expires_in).toBe(900 - 51);
  });
});

describe("whoever keeps the trust", () => {
  const admin = { scope: "trusts:write secrets:read secrets:resolve" };
  const tested = async (claims: object, name = "github", options: Parameters<Issuer["sign"]>[1] = {}) =>
    (
      await call(`POST /v1/trusts/${name}/test`, {
        token: admin,
        json: { subject_token: await issuer.sign({ ...githubClaims(issuer.url), ...claims }, options) },
      })
    ).body;

  it("learns which condition a token fails, without an exchange", async () => {
    const before = await env.DB.prepare("SELECT COUNT(*) AS n FROM tokens").first("n");
    expect(await tested({})).toMatchObject({ accepted: true, refusal: null, secret_scopes: [{ template: "repo:${repository}", scope: "repo:acme/api" }] });
    const { conditions, ...rest } = await tested({ ref: "refs/heads/x", repository: "a b" });
    expect(rest).toEqual({ accepted: false, refusal: "claim-not-matched", secret_scopes: [{ template: "repo:${repository}", scope: null }] });
    expect(conditions.filter(({ matched }: { matched: boolean }) => !matched)).toEqual([{ claim: "ref", pattern: "refs/heads/main", matched: false }]);
    expect(await tested({ repository: "a b" })).toMatchObject({ accepted: false, refusal: "template-not-filled" });
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM tokens").first("n")).toBe(before);
  });

  it.each<[string, object, Parameters<Issuer["sign"]>[1]]>([
    ["bad-signature", {}, { key: { alg: "RS256" } as never }],
    ["wrong-audience", { aud: "other" }, {}],
    ["wrong-issuer", { iss: "https://other.example.com" }, {}],
    ["expired", { exp: past() }, {}],
  ])("learns nothing of the claims of a token that is not good: %s", async (refusal, claims, options) => {
    const key = options?.key ? await makeKey("RS256", issuer.key.kid) : undefined;
    expect(await tested({ ...claims, repository_owner: "evil" }, "github", key && { key })).toEqual({
      accepted: false,
      refusal,
      conditions: [],
      secret_scopes: null,
    });
  });

  it("learns that a token is used up, and does not use one up", async () => {
    await call("PUT /v1/trusts/once", { json: { ...githubTrust(issuer.url), reuse: "once" } });
    const subject_token = await identity();
    const test = async () => (await call("POST /v1/trusts/once/test", { json: { subject_token } })).body;
    expect([await test(), await test()]).toMatchObject([{ accepted: true }, { accepted: true }]);
    expect((await exchange(subject_token, { audience: "acme/once" })).status).toBe(200);
    expect(await test()).toMatchObject({ accepted: false, refusal: "identity-used" });
  });

  it("sees why tokens were refused, counted, the latest first, in its own organization alone and since the trust changed", async () => {
    await call("PUT /v1/trusts/seen", { json: githubTrust(issuer.url) });
    const refusals = async (token = {}) => (await call("GET /v1/trusts/seen/refusals", { token })).body;
    expect(await refusals()).toEqual({ refusals: [] });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
    for (const claims of [{ ref: "x" }, { ref: "y" }, { repository: "a b" }]) await exchange(await identity(claims), { audience: "acme/seen" });
    vi.setSystemTime(Date.now() + 1);
    await exchange(await identity({ exp: past() }), { audience: "acme/seen" });
    vi.useRealTimers();
    const { refusals: found } = await refusals();
    expect(found[0]).toMatchObject({ reason: "expired", about: null, count: 1 });
    expect(found.map(({ reason, about, count }: Record<string, unknown>) => [reason, about, count]).sort()).toEqual([
      ["claim-not-matched", "ref", 2],
      ["expired", null, 1],
      ["template-not-filled", "repo:${repository}", 1],
    ]);
    expect(await refusals({ org: "globex" })).toMatchObject({ code: "trust-not-found" });
    await call("PUT /v1/trusts/seen", { json: { ...githubTrust(issuer.url), expires_in: 60 } });
    expect(await refusals()).toEqual({ refusals: [] });
  });

  it("has D1 written to at most twenty times a minute for a thousand junk exchanges, and every one of them counted in the end", async () => {
    await call("PUT /v1/trusts/junk", { json: githubTrust(issuer.url) });
    vi.useFakeTimers({ toFake: ["Date"], now: Math.ceil(Date.now() / 60_000) * 60_000 + 60_000 });
    const prepare = vi.spyOn(env.DB, "prepare");
    const junk = await identity({ aud: "junk" });
    for (let n = 0; n < 100; n++) await exchange(junk, { audience: "acme/junk" });
    const writes = () => prepare.mock.calls.filter(([sql]) => sql.includes("INSERT INTO trust_refusals")).length;
    expect(writes()).toBe(20);
    vi.setSystemTime(Date.now() + 60_000);
    await exchange(junk, { audience: "acme/junk" });
    expect(writes()).toBe(21);
    vi.restoreAllMocks();
    vi.useRealTimers();
    expect((await call("GET /v1/trusts/junk/refusals")).body.refusals).toMatchObject([{ reason: "wrong-audience", count: 101 }]);
  });
});

describe("scope", () => {
  it("narrows the permissions", async () => {
    const reply = await exchange(await identity(), { scope: "secrets:read" });
    expect(reply.body.scope).toBe("secrets:read");
    const resolve = await call("POST /v1/resolve", { token: reply.body.access_token, json: {} });
    expect(resolve.status).toBe(403);
  });

  it("may use the older name of a permission", async () => {
    expect((await exchange(await identity(), { scope: "config_vars:resolve" })).body.scope).toBe("secrets:resolve");
  });

  it.each(["secrets:write", "secrets:resolve secrets:write", "nonsense", " "])("is refused when the trust does not give %j", async (scope) => {
    const reply = await exchange(await identity(), { scope });
    expect(reply.status).toBe(400);
    expect(reply.body.error).toBe("invalid_scope");
  });

  it("that asks for too much is a denied event", async () => {
    const reply = await exchange(await identity(), { scope: "keys:write" });
    const id = reply.headers.get("X-Request-Id");
    const event = await env.DB.prepare("SELECT action, outcome, token_id FROM audit_events WHERE request_id = ?").bind(id).first();
    expect(event).toEqual({ action: "token.exchange", outcome: "denied", token_id: null });
  });

  it("says nothing to a workload that is not let in", async () => {
    expect((await exchange(await identity({ ref: "x" }), { scope: "secrets:write" })).body).toEqual(REFUSED);
  });
});

describe("the form", () => {
  it.each(["grant_type", "subject_token", "subject_token_type", "audience"])("needs %s, once", async (parameter) => {
    const token = await identity();
    for (const value of [undefined, ""]) {
      expect(await exchange(token, { [parameter]: value })).toMatchObject({ status: 400, body: { error: "invalid_request" } });
    }
    const body = new URLSearchParams({ ...FORM, subject_token: token });
    body.append(parameter, body.get(parameter) ?? "");
    expect(await call("POST /oauth/token", { token: null, body })).toMatchObject({ status: 400, body: { error: "invalid_request" } });
  });

  it.each([
    ["grant_type", "client_credentials", "unsupported_grant_type"],
    ["subject_token_type", "urn:ietf:params:oauth:token-type:saml2", "invalid_request"],
    ["requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token", "invalid_request"],
    ["audience", "acme", "invalid_request"],
    ["audience", "acme/github/x", "invalid_request"],
    ["audience", "acme/git hub", "invalid_request"],
    ["audience", "../github", "invalid_request"],
  ])("refuses %s=%s with %s", async (parameter, value, error) => {
    const reply = await exchange(await identity(), { [parameter]: value });
    expect(reply).toMatchObject({ status: 400, body: { error, error_description: expect.any(String) } });
  });

  it("treats an optional parameter without a value as left out, and ignores unknown ones", async () => {
    expect((await exchange(await identity(), { scope: "", requested_token_type: "", resource: "x", unknown: "x" })).status).toBe(200);
  });

  it.each([
    ["application/json", () => JSON.stringify(FORM)],
    ["text/plain", () => new URLSearchParams(FORM).toString()],
    ["application/x-www-form-urlencoded;x", () => new URLSearchParams(FORM).toString()],
    ["application/x-www-form-urlencodedx", () => new URLSearchParams(FORM).toString()],
    ["multipart/form-data; boundary=x", () => '--x\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nx\r\n--x--\r\n'],
    ["multipart/form-data", () => "nonsense"],
    ["", () => "grant_type=x"],
  ])("is refused with 415 as %j", async (type, body) => {
    const reply = await call("POST /oauth/token", { token: null, body: body(), headers: { "Content-Type": type } });
    expect(reply).toMatchObject({ status: 415, body: { error: "invalid_request" } });
  });

  it("may name a charset", async () => {
    const body = new URLSearchParams({ ...FORM, subject_token: await identity() }).toString();
    const reply = await call("POST /oauth/token", { token: null, body, headers: { "Content-Type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8" } });
    expect(reply.status).toBe(200);
  });

  it("is refused with 413 when it is too large, as an OAuth error", async () => {
    expect(await exchange("x".repeat(70_000))).toMatchObject({ status: 413, body: { error: "invalid_request" } });
  });
});
