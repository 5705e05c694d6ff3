import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { AuditEvent } from "../../src/contract/audit.ts";
import { type AskedFor, keysDue, remoteKeys } from "../../src/worker/access/issuer-keys.ts";
import { parseConfig } from "../../src/worker/config.ts";
import { callWith } from "../support/call-with.ts";
import { type Issuer, makeKey, publish, startIssuer, timesAsked } from "../support/issuer.ts";
import { part, signHmac } from "../support/raw-jwt.ts";

const ORG_CLAIM = "https://example.org/tenant";

let fixed: Issuer;
let claimed: Issuer;
let call: ReturnType<typeof callWith>;

beforeAll(async () => {
  [fixed, claimed] = await Promise.all([startIssuer("RS256"), startIssuer("ES256")]);
  call = callWith({
    ALLOW_INSECURE_ISSUERS: "true",
    TRUSTED_ISSUERS: JSON.stringify([
      { issuer: fixed.url, jwks_url: fixed.jwksUrl, audience: "keyhole-api", algorithms: ["RS256"], org: "acme" },
      { issuer: claimed.url, jwks_url: claimed.jwksUrl, audience: "keyhole-api", algorithms: ["ES256", "EdDSA"], org_claim: ORG_CLAIM },
    ]),
  });
});

afterEach(() => void vi.useRealTimers());

const now = () => Math.floor(Date.now() / 1000);
const claimsOf = (issuer: Issuer, more: object = {}) => ({
  iss: issuer.url,
  aud: "keyhole-api",
  sub: "alice",
  scope: "openid secrets:read profile tokens:write",
  [ORG_CLAIM]: "globex",
  iat: now(),
  exp: now() + 300,
  jti: crypto.randomUUID(),
  ...more,
});

async function statusOf(token: string): Promise<number> {
  return (await call("GET /v1/whoami", { token })).status;
}

describe("an access token of a trusted issuer", () => {
  it("is accepted as it is, for the organization that the deployment fixed", async () => {
    const reply = await call("GET /v1/whoami", { token: await fixed.sign(claimsOf(fixed, { org: "globex", secret_scopes: ["repo:acme/*"] })) });
    expect(reply.body).toMatchObject({
      org: "acme",
      sub: "alice",
      token_id: expect.any(String),
      permissions: ["secrets:read", "tokens:write"],
      secret_scopes: ["repo:acme/*"],
    });
  });

  it("is accepted for the organization in the claim that the deployment named", async () => {
    const reply = await call("GET /v1/whoami", { token: await claimed.sign(claimsOf(claimed, { org: "acme" })) });
    expect(reply.body).toMatchObject({ org: "globex", sub: "alice" });
  });

  it("is told by the audit log from one of the same name that another issued", async () => {
    for (const token of [await fixed.sign(claimsOf(fixed, { scope: "" })), { org: "acme", sub: "alice", scope: "" }]) await call("GET /v1/secrets", { token });
    const { body } = await call("GET /v1/audit?limit=2&actor=alice", { token: { org: "acme" } });
    expect(body.events.map(({ issuer }: AuditEvent) => issuer)).toEqual(["keyhole", fixed.url]);
  });

  it("says nothing of leases: what it calls by that name is another's affair, whatever it is", async () => {
    const token = await fixed.sign(claimsOf(fixed, { scope: "secrets:resolve secrets:write", lease_seconds: 60 }));
    expect((await call("GET /v1/whoami", { token })).body.lease_seconds).toBe(0);
    await call("PUT /v1/scopes/global/secrets/UNLEASED", { token, json: { value: "v" } });
    for (const again of [token, await fixed.sign(claimsOf(fixed, { scope: "secrets:resolve", lease_seconds: "a minute" }))])
      expect(Object.keys((await call("GET /v1/resolve/UNLEASED?scope=global", { token: again })).body)).toEqual(expect.not.arrayContaining(["lease"]));
  });

  it.each(["developer", "token:ci-payments", "trust:github:repo:acme/api", "binding:gateway", "keyhole:scheduled"])(
    "is nobody of Keyhole's own: the subject %s is refused",
    async (sub) => expect(await statusOf(await fixed.sign(claimsOf(fixed, { sub })))).toBe(401),
  );

  it.each<[string, object, Record<string, string>]>([
    ["the id of a token that Keyhole minted", { jti: "tok_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c" }, {}],
    ["the type of a logout token", {}, { typ: "logout+jwt" }],
    ["the type of a security event", {}, { typ: "application/secevent+jwt" }],
    ["the type of a proof of possession", {}, { typ: "dpop+jwt" }],
    ["the hash of an access token: it is an identity token", { at_hash: "x" }, {}],
    ["what Keycloak says of an identity token", { typ: "ID" }, {}],
    ["what Cognito says of an identity token", { token_use: "id" }, {}],
    ["a life of more than a day", { exp: now() + 86_500 }, {}],
    ["a time of issue that has not come, by which it would live for longer", { iat: now() + 86_400, exp: now() + 86_500 }, {}],
  ])("is refused with %s", async (_, claims, header) => {
    expect(await statusOf(await fixed.sign(claimsOf(fixed, claims), { header }))).toBe(401);
  });

  it.each(["at+jwt", "application/AT+JWT", "JWT"])("may be of the type %s, or of none", async (typ) => {
    expect(await statusOf(await fixed.sign(claimsOf(fixed), { header: { typ } }))).toBe(200);
  });

  it("is of exactly the type and lives no longer than the deployment says, where it does", async () => {
    const entry = { issuer: fixed.url, jwks_url: fixed.jwksUrl, audience: "keyhole-api", algorithms: ["RS256"], org: "acme" };
    const pinned = callWith({ ALLOW_INSECURE_ISSUERS: "true", TRUSTED_ISSUERS: JSON.stringify([{ ...entry, typ: "at+jwt", max_ttl_seconds: 100_000 }]) });
    const status = async (typ: string, exp: number) =>
      (await pinned("GET /v1/whoami", { token: await fixed.sign(claimsOf(fixed, { exp }), { header: { typ } }) })).status;
    expect([await status("at+jwt", now() + 99_000), await status("JWT", now() + 60), await status("at+jwt", now() + 100_100)]).toEqual([200, 401, 401]);
  });

  it("without a scope has no permission at all", async () => {
    const token = await fixed.sign(claimsOf(fixed, { scope: undefined }));
    expect((await call("GET /v1/whoami", { token })).body.permissions).toEqual([]);
    expect((await call("GET /v1/secrets", { token })).status).toBe(403);
  });

  it("mints no more than it holds", async () => {
    const token = await fixed.sign(claimsOf(fixed, { secret_names: ["A*"] }));
    const mint = (permissions: string[], secret_names?: string[]) =>
      call("POST /v1/tokens", { token, json: { label: "x", permissions, secret_names, expires_in: 60 } });
    expect((await mint(["secrets:read"], ["AB"])).status).toBe(201);
    expect((await mint(["secrets:read"])).status).toBe(403);
    expect((await mint(["secrets:resolve"], ["AB"])).status).toBe(403);
  });

  it("is refused, without an internal error, when it expires later than RFC 3339 can write", async () => {
    for (const exp of [253_402_300_799, 253_402_300_800, 1e300]) expect(await statusOf(await fixed.sign(claimsOf(fixed, { exp })))).toBe(401);
  });
});

describe("is refused with 401", () => {
  it.each<[string, () => Promise<string>]>([
    ["for another audience", () => fixed.sign(claimsOf(fixed, { aud: "keyhole" }))],
    ["without an audience", () => fixed.sign(claimsOf(fixed, { aud: undefined }))],
    ["expired", () => fixed.sign(claimsOf(fixed, { exp: now() - 90 }))],
    ["without an expiry", () => fixed.sign(claimsOf(fixed, { exp: undefined }))],
    ["not valid yet", () => fixed.sign(claimsOf(fixed, { nbf: now() + 120 }))],
    ["without a subject", () => fixed.sign(claimsOf(fixed, { sub: undefined }))],
    ["with an empty subject", () => fixed.sign(claimsOf(fixed, { sub: "" }))],
    ["with limits that are no patterns", () => fixed.sign(claimsOf(fixed, { secret_scopes: ["a*b"] }))],
    ["with limits that are no list", () => fixed.sign(claimsOf(fixed, { secret_names: "A*" }))],
    ["with a scope that is a list", () => fixed.sign(claimsOf(fixed, { scope: ["secrets:read"] }))],
    ["without the organization's claim", () => claimed.sign(claimsOf(claimed, { [ORG_CLAIM]: undefined, org: "acme" }))],
    ["with an organization that is no name", () => claimed.sign(claimsOf(claimed, { [ORG_CLAIM]: "a/b" }))],
    ["with the operator's organization: that is never a claim's to say", () => claimed.sign(claimsOf(claimed, { [ORG_CLAIM]: "platform" }))],
    ["with an organization that is a part of Keyhole's own addresses", () => claimed.sign(claimsOf(claimed, { [ORG_CLAIM]: "secret" }))],
    ["with a list of organizations", () => claimed.sign(claimsOf(claimed, { [ORG_CLAIM]: ["globex"] }))],
    ["of another issuer", () => fixed.sign(claimsOf(fixed, { iss: "https://evil.example.org" }))],
    ["in Keyhole's own name", () => fixed.sign(claimsOf(fixed, { iss: "keyhole", aud: "keyhole", org: "acme", jti: "x" }))],
    ["in another trusted issuer's name", () => fixed.sign(claimsOf(claimed))],
    ["signed with another key", async () => fixed.sign(claimsOf(fixed), { key: await makeKey("RS256", fixed.key.kid) })],
    ["with an algorithm that is not the pinned one", async () => fixed.sign(claimsOf(fixed), { key: { ...(await makeKey("PS256", fixed.key.kid)) } })],
    ["without a signature", async () => `${part({ alg: "none" })}.${part(claimsOf(fixed))}.AAAA`],
    ["with the public key as a shared secret", () => signHmac({ alg: "HS256", kid: fixed.key.kid }, claimsOf(fixed), JSON.stringify(fixed.key.publicJwk))],
  ])("%s", async (_, token) => {
    expect(await statusOf(await token())).toBe(401);
  });

  it("when its algorithm is another's, though the issuer publishes a key for it", async () => {
    const key = await makeKey("ES256");
    await fixed.publishKeys([fixed.key.publicJwk, key.publicJwk]);
    expect(await statusOf(await fixed.sign(claimsOf(fixed), { key }))).toBe(401);
    const other = await makeKey("EdDSA");
    await claimed.publishKeys([claimed.key.publicJwk, other.publicJwk]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 700_000 });
    expect(await statusOf(await claimed.sign(claimsOf(claimed), { key: other }))).toBe(200);
  });
});

it("is answered 503 with Retry-After while its issuer's keys cannot be had", async () => {
  const down = await startIssuer();
  await publish(down.jwksUrl, { status: 500 });
  const entry = { issuer: down.url, jwks_url: down.jwksUrl, audience: "keyhole-api", algorithms: ["ES256"], org: "acme" };
  const reply = await callWith({ ALLOW_INSECURE_ISSUERS: "true", TRUSTED_ISSUERS: JSON.stringify([entry]) })("GET /v1/whoami", {
    token: await down.sign(claimsOf(down)),
  });
  expect(reply).toMatchObject({ status: 503, body: { code: "storage-unavailable" } });
  expect(reply.headers.has("Retry-After")).toBe(true);
});

it("asks for no keys when a token is not of a trusted issuer or is no token", async () => {
  const quiet = await startIssuer();
  const entry = { issuer: quiet.url, jwks_url: quiet.jwksUrl, audience: "keyhole-api", algorithms: ["ES256"], org: "acme" };
  const quietly = callWith({ ALLOW_INSECURE_ISSUERS: "true", TRUSTED_ISSUERS: JSON.stringify([entry]) });
  for (const token of [await fixed.sign(claimsOf(fixed)), "a.b.c", `${part({})}.${part({ iss: [quiet.url] })}.AAAA`])
    await quietly("GET /v1/whoami", { token });
  expect(await timesAsked(quiet.jwksUrl)).toBe(0);
});

describe("the configuration", () => {
  const good = { issuer: "https://idp.example.org", jwks_url: "https://idp.example.org/jwks", audience: "keyhole", algorithms: ["RS256"], org: "acme" };
  const parse = (TRUSTED_ISSUERS: string) => parseConfig({ ...env, TRUSTED_ISSUERS });

  it("is taken when it is complete", async () => {
    expect((await parse(JSON.stringify([good]))).trustedIssuers).toHaveLength(1);
    expect((await parse("[]")).trustedIssuers).toEqual([]);
  });

  it.each<[string, string]>([
    ["no JSON", "["],
    ["no list", JSON.stringify(good)],
    ["no algorithms", JSON.stringify([{ ...good, algorithms: [] }])],
    ...["none", "HS256", "HS384", "HS512", "rs256", "dir", "*"].map((alg): [string, string] => [
      `the algorithm ${alg}`,
      JSON.stringify([{ ...good, algorithms: ["RS256", alg] }]),
    ]),
    ...Object.keys(good).map((field): [string, string] => [`no ${field}`, JSON.stringify([{ ...good, [field]: undefined }])]),
    ["an empty audience", JSON.stringify([{ ...good, audience: "" }])],
    ["a list of audiences", JSON.stringify([{ ...good, audience: ["keyhole"] }])],
    ["both org and org_claim", JSON.stringify([{ ...good, org_claim: "tenant" }])],
    ["an org that is a part of Keyhole's own addresses", JSON.stringify([{ ...good, org: "tokens" }])],
    ["an org that is no name", JSON.stringify([{ ...good, org: "a/b" }])],
    ["an unknown field", JSON.stringify([{ ...good, algorithm: "RS256" }])],
    ["the type of logout tokens", JSON.stringify([{ ...good, typ: "application/logout+JWT" }])],
    ["a life of no time", JSON.stringify([{ ...good, max_ttl_seconds: 0 }])],
    ["an issuer twice", JSON.stringify([good, { ...good, org: "globex" }])],
    ["an http jwks_url", JSON.stringify([{ ...good, jwks_url: "http://idp.example.org/jwks" }])],
    ["a private jwks_url", JSON.stringify([{ ...good, jwks_url: "https://10.0.0.1/jwks" }])],
    ["a jwks_url that is none", JSON.stringify([{ ...good, jwks_url: "jwks" }])],
  ])("is refused with %s", async (_, text) => {
    const error = await parse(text).catch((failure) => failure);
    expect(error.name).toBe("ConfigError");
    for (const fault of error.faults) expect(fault).toEqual({ part: "vars", detail: expect.stringMatching(/^TRUSTED_ISSUERS/) });
  });

  it("that is refused stops every call, and /readyz names vars", async () => {
    const broken = callWith({ TRUSTED_ISSUERS: JSON.stringify([{ ...good, algorithms: ["none"] }]) });
    expect((await broken("GET /v1/whoami")).status).toBe(503);
    expect((await broken("POST /oauth/token", { token: null, body: new URLSearchParams({}) })).status).toBe(503);
    expect(await broken("GET /readyz")).toMatchObject({ status: 503, body: { unusable: [{ part: "vars" }] } });
  });

  it.each(["yes", "1", "TRUE", ""])("refuses ALLOW_INSECURE_ISSUERS=%j rather than guessing", async (ALLOW_INSECURE_ISSUERS) => {
    expect(await parseConfig({ ...env, ALLOW_INSECURE_ISSUERS }).catch((failure) => failure)).toMatchObject({ name: "ConfigError" });
  });
});

describe("what is kept in mind of issuers", () => {
  afterEach(() => void vi.restoreAllMocks());
  const access = { insecureIssuers: false, provider: null, now: new Date("2026-11-26T12:00:00Z") };
  const at = (name: string) => ({ issuer: `urn:${name}`, jwksUrl: `https://${name}.example.com/jwks` });
  const keyOf = (name: string, whose: AskedFor) => remoteKeys(at(name), access, whose)({ alg: "ES256", kid: "k" });

  it("of those that the deployment trusts makes no room for those of trusts, however many there are", async () => {
    const { publicJwk } = await makeKey("ES256", "k");
    const fetched = vi.spyOn(globalThis, "fetch").mockImplementation(async () => Response.json({ keys: [publicJwk] }));
    await keyOf("ours", "deployment");
    for (let n = 0; n < 150; n++) await keyOf(`theirs-${n}`, "trusts");
    expect(fetched).toHaveBeenCalledTimes(151);
    expect(keysDue(at("ours"))).toBeGreaterThan(access.now.getTime());
    await keyOf("ours", "deployment");
    expect(fetched).toHaveBeenCalledTimes(151);
  });

  it("that they failed is forgotten of the oldest alone, when there are too many", async () => {
    const fetched = vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response("", { status: 500 }));
    for (let n = 0; n < 1_001; n++) await expect(keyOf(`failing-${n}`, "trusts")).rejects.toThrow("issuer-error");
    for (const n of [1, 500, 1_000]) await expect(keyOf(`failing-${n}`, "trusts")).rejects.toThrow("issuer-failed-before");
    expect(fetched).toHaveBeenCalledTimes(1_001);
    await expect(keyOf("failing-0", "trusts")).rejects.toThrow("issuer-error");
  });
});
