import { env } from "cloudflare:workers";
import { importJWK, type JWK } from "jose";
import { expect, vi } from "vitest";
import { PERMISSIONS } from "../../src/contract/permission.ts";
import type { Refusal } from "../../src/worker/access/refusal.ts";
import { CANARY } from "../fuzz/hostile.ts";
import type { CallOptions, Reply } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { exchange, githubClaims, githubTrust } from "../support/exchange.ts";
import { type Issuer, makeKey, publish, startIssuer } from "../support/issuer.ts";
import { mint } from "../support/mint.ts";
import { part, respell, signRaw } from "../support/raw-jwt.ts";
import { sign } from "../support/sign.ts";
import { FOREIGN_SIGNING_KEY } from "../support/test-secrets.ts";

const jwk = JSON.parse(env.SIGNING_KEY ?? "") as JWK & { kid: string };
const NOW = Math.floor(Date.now() / 1000);

/** What a request came to: the reply, and what it brought that must not be in the log. */
export interface Tried {
  readonly reply: Reply;
  readonly brought: string;
}

/** An issuer of which anything may be wrong: identity tokens of it are exchanged, its access tokens are accepted. */
export let issuer: Issuer;
let trusted: Issuer;
let ownKey: CryptoKey;
export let call: ReturnType<typeof callWith>;
let guarded: ReturnType<typeof callWith>;

/** Everything that is logged, since the last request that was looked at. */
export const logged: string[] = [];

/** Makes issuers of which nothing is wrong yet, and a trust in one of them. What is logged is kept from then on, and shown nowhere. */
export async function startIssuers(): Promise<void> {
  for (const method of ["log", "info", "warn", "error", "debug"] as const)
    vi.spyOn(console, method).mockImplementation((...parts: unknown[]) => void logged.push(parts.map(String).join(" ")));
  ownKey = (await importJWK(jwk, "EdDSA")) as CryptoKey;
  [issuer, trusted] = await Promise.all([startIssuer(), startIssuer("RS256")]);
  const TRUSTED_ISSUERS = JSON.stringify([
    { issuer: trusted.url, jwks_url: trusted.jwksUrl, audience: "keyhole-api", algorithms: ["RS256", "ES256"], org: "acme" },
  ]);
  call = callWith({ ALLOW_INSECURE_ISSUERS: "true", TRUSTED_ISSUERS });
  guarded = callWith({ ALLOW_INSECURE_ISSUERS: "false" });
  const trust = { ...githubTrust(issuer.url), claims: { repository_owner: "acme" } };
  expect((await call("PUT /v1/trusts/github", { json: trust })).status).toBeLessThan(300);
}

/** Asks with an access token, or with whatever else stands for one. */
export async function ask(token: string | null, options: CallOptions = {}): Promise<Tried> {
  logged.length = 0;
  return { reply: await call("GET /v1/whoami", { token, ...options }), brought: token ?? JSON.stringify(options) };
}

const header = (more: object = {}) => ({ alg: "EdDSA", typ: "at+jwt", kid: jwk.kid, ...more });
const claims = (more: object = {}) => ({
  ...{ iss: "keyhole", aud: "keyhole", sub: CANARY, org: "acme", scope: "secrets:read", iat: NOW, exp: NOW + 3600, jti: "tok_x" },
  ...more,
});
/** A token that our key signed, whatever it says. */
const own = async (head: object | string, body: object | string) => ask(await signRaw(head, body, "Ed25519", ownKey));

/** An access token of the other issuer that the deployment trusts. */
async function ofTrusted(more: object = {}, options: Parameters<Issuer["sign"]>[1] = {}): Promise<Tried> {
  return ask(
    await trusted.sign({ iss: trusted.url, aud: "keyhole-api", sub: CANARY, scope: "secrets:read", iat: NOW, jti: "j", exp: NOW + 300, ...more }, options),
  );
}

/** Asks for an exchange of an identity token that is good but for what is given. */
export async function swap(more: object = {}, form: Record<string, string> = {}, by = call): Promise<Tried> {
  const token = await issuer.sign({ ...githubClaims(issuer.url), note: CANARY, ...more });
  logged.length = 0;
  return { reply: await exchange(token, form, by), brought: token };
}

/** The same with a token that is no JWT, or not one that the issuer would make. */
async function swapRaw(token: string): Promise<Tried> {
  logged.length = 0;
  return { reply: await exchange(token, {}, call), brought: token };
}

/** A token that was revoked before it is used, here for `request`. */
async function revoked(request: string, fields: object = {}, json?: object): Promise<Tried> {
  const { id, token } = await mint({ permissions: ["secrets:read", "secrets:resolve"], ...fields });
  expect((await call(`DELETE /v1/tokens/${id}`)).status).toBe(204);
  logged.length = 0;
  return { reply: await call(request, { token, ...(json && { json }) }), brought: token };
}

/** The fetch of an issuer's document fails. */
async function whenFetching(error: Error): Promise<Tried> {
  const spy = vi.spyOn(globalThis, "fetch").mockRejectedValue(error);
  const tried = await swap();
  spy.mockRestore();
  return tried;
}

async function whenItPublishes(address: string, document: Parameters<typeof publish>[1]): Promise<Tried> {
  await publish(address, document);
  return swap();
}

/** The issuer of a trust that was made while insecure issuers were allowed. */
async function whenInsecureIsForbidden(): Promise<Tried> {
  return swap({}, {}, guarded);
}

async function whenTheMakerIsRevoked(): Promise<Tried> {
  const maker = await mint({ permissions: [...PERMISSIONS] });
  expect((await call("PUT /v1/trusts/suspended", { token: maker.token, json: githubTrust(issuer.url) })).status).toBeLessThan(300);
  expect((await call(`DELETE /v1/tokens/${maker.id}`)).status).toBe(204);
  logged.length = 0;
  return swap({}, { audience: "acme/suspended" });
}

async function whenTheTrustIsReplaced(): Promise<Tried> {
  const real = globalThis.fetch;
  const spy = vi.spyOn(globalThis, "fetch").mockImplementation(async (...request) => {
    spy.mockRestore();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 1 });
    expect((await call("PUT /v1/trusts/github", { json: githubTrust(issuer.url) })).status).toBe(200);
    logged.length = 0;
    return real(...request);
  });
  return swap();
}

/** What the wire says: one thing for all refusals of a kind. */
export type Wire = "401" | "400" | "503" | "OAuth 503" | "invalid_scope";

/** Of every reason, requests that are refused for it. */
export const CASES: [Refusal, Wire, string, () => Promise<Tried>][] = [
  ["no-token", "401", "no header", () => ask(null)],
  ["not-bearer", "401", "another scheme", () => ask(null, { headers: { Authorization: `Basic ${CANARY}` } })],
  ["not-bearer", "401", "a token that has not three parts", () => ask(CANARY)],
  ["too-long", "401", "a long claim", () => own(header(), claims({ padding: "x".repeat(8000) }))],
  ["too-long", "400", "a long claim", () => swap({ padding: "x".repeat(16_000) })],
  ["not-a-jwt", "401", "a.b.c", () => ask("a.b.c")],
  ["not-a-jwt", "401", "claims that are a list", () => own(header(), `["${CANARY}"]`)],
  ["not-a-jwt", "401", "claims that are no JSON", () => own(header(), `{"${CANARY}"`)],
  ["not-a-jwt", "401", "a signature in another spelling", async () => ask(respell(await sign({ sub: CANARY })))],
  ["not-a-jwt", "400", "two parts", () => swapRaw(`${part(CANARY)}.${part(CANARY)}`)],
  ["repeated-member", "401", "a claim twice", () => own(header(), JSON.stringify(claims()).replace("{", '{"org":"globex",'))],
  ["repeated-member", "401", "a header parameter twice", () => own(JSON.stringify(header()).replace("{", '{"kid":"x",'), claims())],
  ["unknown-issuer", "401", "another issuer", () => own(header(), claims({ iss: `https://${CANARY}` }))],
  ["wrong-issuer", "400", "a token of another issuer than the trust's", () => swap({ iss: `https://${CANARY}` })],
  ["wrong-audience", "401", "another audience", () => own(header(), claims({ aud: CANARY }))],
  ["wrong-audience", "401", "another audience, of a trusted issuer", () => ofTrusted({ aud: CANARY })],
  ["wrong-audience", "400", "another audience", () => swap({ aud: [CANARY] })],
  ["missing-claim", "401", "no jti", () => own(header(), claims({ jti: undefined }))],
  ["missing-claim", "400", "no sub", () => swap({ sub: undefined })],
  ["malformed-claim", "401", "an expiry that is a text", () => own(header(), claims({ exp: CANARY }))],
  ["malformed-claim", "401", "a time of issue that is a text", () => own(header(), claims({ iat: CANARY }))],
  ["malformed-claim", "401", "an organization that is no name", () => own(header(), claims({ org: CANARY }))],
  ["malformed-claim", "401", "limits that are no list, of a trusted issuer", () => ofTrusted({ secret_scopes: CANARY })],
  ["malformed-claim", "400", "a time before it is valid that is a text", () => swap({ nbf: CANARY })],
  ["malformed-claim", "400", "a subject that is no text", () => swap({ sub: [CANARY] })],
  ["lives-too-long", "401", "more than a day", () => ofTrusted({ exp: NOW + 86_401 })],
  ["own-name", "401", "the id of a token of our own", () => ofTrusted({ jti: `tok_${CANARY}` })],
  ["not-yet-valid", "401", "a time of issue that has not come, of a trusted issuer", () => ofTrusted({ iat: NOW + 600, exp: NOW + 900 })],
  ["wrong-type", "401", "a token for logging out, of a trusted issuer", () => ofTrusted({}, { header: { typ: "logout+jwt" } })],
  ["expired", "401", "an expiry that has passed", () => own(header(), claims({ exp: NOW - 1 }))],
  ["expired", "401", "an expiry that has passed, of a trusted issuer", () => ofTrusted({ exp: NOW - 90 })],
  ["expired", "400", "an expiry that has passed", () => swap({ exp: NOW - 90 })],
  ["not-yet-valid", "401", "a time that has not come", () => own(header(), claims({ nbf: NOW + 600 }))],
  ["not-yet-valid", "400", "a time that has not come", () => swap({ nbf: NOW + 600 })],
  ["malformed-header", "401", "a critical parameter that is not known", () => own(header({ crit: [CANARY], [CANARY]: 1 }), claims())],
  ["malformed-header", "401", "a list of critical parameters that is empty", () => own(header({ crit: [] }), claims())],
  ["malformed-header", "401", "no algorithm", () => own(header({ alg: undefined }), claims())],
  ["malformed-header", "401", "a payload that is not encoded", () => own(header({ b64: false, crit: ["b64"] }), claims())],
  ["wrong-algorithm", "401", "none", async () => ask(`${part(header({ alg: "none" }))}.${part(claims())}.AAAA`)],
  ["wrong-algorithm", "401", "an algorithm of somebody's own", () => own(header({ alg: CANARY }), claims())],
  ["wrong-algorithm", "400", "a shared secret", () => swapRaw(`${part({ alg: "HS256" })}.${part(githubClaims(issuer.url))}.AAAA`)],
  ["wrong-type", "401", "an identity token's", () => own(header({ typ: "JWT" }), claims())],
  ["wrong-type", "401", "no type", () => own(header({ typ: undefined }), claims())],
  ["unknown-key", "401", "a kid that is not ours", () => own(header({ kid: CANARY }), claims())],
  ["unknown-key", "401", "no kid", () => own(header({ kid: undefined }), claims())],
  ["unknown-key", "401", "a kid that is not the trusted issuer's", () => ofTrusted({}, { header: { kid: CANARY } })],
  ["unknown-key", "400", "a kid that is not the issuer's", async () => swapRaw(await issuer.sign(githubClaims(issuer.url), { header: { kid: CANARY } }))],
  [
    "ambiguous-key",
    "401",
    "no kid, and more keys than are tried",
    async () => {
      const { publicJwk } = await makeKey("RS256");
      await trusted.publishKeys([...Array.from({ length: 16 }, (_, n) => ({ ...publicJwk, kid: String(n) })), trusted.key.publicJwk]);
      return ofTrusted({}, { header: { kid: undefined } });
    },
  ],
  [
    "unusable-key",
    "401",
    "a broken key of the trusted issuer",
    async () => {
      await trusted.publishKeys([{ kty: "RSA", kid: trusted.key.kid, alg: "RS256", e: "AQAB", n: "!" }]);
      return ofTrusted();
    },
  ],
  [
    "unusable-key",
    "401",
    "a private key of the trusted issuer",
    async () => {
      const { privateKey } = trusted.key;
      await trusted.publishKeys([{ ...((await crypto.subtle.exportKey("jwk", privateKey)) as JWK), key_ops: ["verify"], kid: trusted.key.kid }]);
      return ofTrusted();
    },
  ],
  ["bad-signature", "401", "another key under our kid", async () => ask(await sign({ sub: CANARY }, { key: FOREIGN_SIGNING_KEY, header: { kid: jwk.kid } }))],
  [
    "bad-signature",
    "400",
    "another key under the issuer's kid",
    async () => swapRaw(await issuer.sign(githubClaims(issuer.url), { key: await makeKey("ES256", issuer.key.kid) })),
  ],
  ["revoked", "401", "in a call that only asks who it is", () => revoked("GET /v1/whoami")],
  ["revoked", "401", "in a resolve", () => revoked("POST /v1/resolve", {}, { names: ["A"] })],
  ["revoked", "401", "in a call that its grant does not allow anyway", () => revoked("GET /v1/audit")],
  ["unknown-trust", "400", "another name", () => swap({}, { audience: "acme/nope" })],
  ["claim-not-matched", "400", "another owner", () => swap({ repository_owner: CANARY })],
  ["template-not-filled", "400", "a repository that is no path", () => swap({ repository: `${CANARY}/*` })],
  ["scope-not-given", "invalid_scope", "more than the trust gives", () => swap({}, { scope: "keys:write" })],
  ["scope-not-given", "invalid_scope", "a permission that there is not", () => swap({}, { scope: CANARY })],
  ["trust-suspended", "400", "whose maker was revoked", whenTheMakerIsRevoked],
  ["trust-changed", "400", "while the issuer is asked", whenTheTrustIsReplaced],
  ["issuer-not-public", "OAuth 503", "http, where that is forbidden", whenInsecureIsForbidden],
  [
    "issuer-not-public",
    "OAuth 503",
    "keys at an http address, where that is forbidden",
    async () => {
      const name = `https://${crypto.randomUUID()}.example.org`;
      expect((await guarded("PUT /v1/trusts/public", { json: githubTrust(name) })).status).toBeLessThan(300);
      const spy = vi.spyOn(globalThis, "fetch").mockResolvedValue(Response.json({ issuer: name, jwks_uri: "http://10.0.0.1/jwks" }));
      const token = await issuer.sign({ ...githubClaims(name), note: CANARY });
      logged.length = 0;
      const reply = await exchange(token, { audience: "acme/public" }, guarded);
      spy.mockRestore();
      return { reply, brought: token };
    },
  ],
  [
    "platform-organization",
    "401",
    "a trusted issuer's claim names the operator's organization",
    async () => {
      const { issuer: iss, jwks_url } = { issuer: trusted.url, jwks_url: trusted.jwksUrl };
      const TRUSTED_ISSUERS = JSON.stringify([{ issuer: iss, jwks_url, audience: "keyhole-api", algorithms: ["RS256"], org_claim: "tenant" }]);
      const token = await trusted.sign({ iss, aud: "keyhole-api", sub: CANARY, tenant: "platform", iat: NOW, jti: "j", exp: NOW + 300 });
      logged.length = 0;
      const reply = await callWith({ ALLOW_INSECURE_ISSUERS: "true", TRUSTED_ISSUERS })("GET /v1/whoami", { token });
      return { reply, brought: token };
    },
  ],
  [
    "identity-used",
    "400",
    "from another address, where the trust takes a token once",
    async () => {
      expect((await call("PUT /v1/trusts/once", { json: { ...githubTrust(issuer.url), reuse: "once" } })).status).toBeLessThan(300);
      const token = await issuer.sign({ ...githubClaims(issuer.url), note: CANARY });
      expect((await exchange(token, { audience: "acme/once" }, call)).status).toBe(200);
      logged.length = 0;
      const elsewhere: typeof call = (request, options) => call(request, { ...options, headers: { "CF-Connecting-IP": "203.0.113.9" } });
      return { reply: await exchange(token, { audience: "acme/once" }, elsewhere), brought: token };
    },
  ],
  [
    "issuer-asked-before",
    "OAuth 503",
    "another kid that there is not, within ten seconds",
    async () => {
      for (const kid of ["first", "second"]) await swapRaw(await issuer.sign(githubClaims(issuer.url), { header: { kid } }));
      return swapRaw(await issuer.sign(githubClaims(issuer.url), { header: { kid: CANARY } }));
    },
  ],
  ["issuer-error", "OAuth 503", "a configuration that cannot be had now", () => whenItPublishes(issuer.discoveryUrl, { status: 500 })],
  ["issuer-error", "OAuth 503", "keys of which it was asked too often", () => whenItPublishes(issuer.jwksUrl, { status: 429 })],
  [
    "no-row",
    "401",
    "a token whose row somebody took away",
    async () => {
      const { id, token } = await mint({ permissions: ["secrets:read"] });
      await env.DB.prepare("DELETE FROM tokens WHERE id = ?").bind(id).run();
      logged.length = 0;
      return { reply: await call("GET /v1/whoami", { token }), brought: token };
    },
  ],
  [
    "issuer-failed-before",
    "OAuth 503",
    "twice within ten seconds",
    async () => {
      await whenItPublishes(issuer.discoveryUrl, { status: 500 });
      return swap();
    },
  ],
  ["issuer-unreachable", "OAuth 503", "a connection that fails", () => whenFetching(new TypeError(`no route to ${CANARY}`))],
  ["issuer-too-slow", "OAuth 503", "a reply that does not come", () => whenFetching(new DOMException(CANARY, "TimeoutError"))],
  ["issuer-wrong-status", "OAuth 503", "a configuration that is not there", () => whenItPublishes(issuer.discoveryUrl, { status: 404 })],
  ["issuer-wrong-status", "OAuth 503", "keys that are elsewhere", () => whenItPublishes(issuer.jwksUrl, { status: 302, headers: { Location: issuer.url } })],
  ["issuer-document-too-large", "OAuth 503", "300 KB", () => whenItPublishes(issuer.jwksUrl, { body: JSON.stringify({ keys: [], x: CANARY.repeat(20_000) }) })],
  ["issuer-document-not-json", "OAuth 503", "a page", () => whenItPublishes(issuer.discoveryUrl, { body: `<html>${CANARY}` })],
  [
    "issuer-document-invalid",
    "OAuth 503",
    "a configuration without keys",
    () => whenItPublishes(issuer.discoveryUrl, { body: JSON.stringify({ issuer: issuer.url, x: CANARY }) }),
  ],
  ["issuer-document-invalid", "OAuth 503", "keys that are a list", () => whenItPublishes(issuer.jwksUrl, { body: `["${CANARY}"]` })],
  [
    "issuer-document-of-another",
    "OAuth 503",
    "another issuer's configuration",
    () => whenItPublishes(issuer.discoveryUrl, { body: JSON.stringify({ issuer: `https://${CANARY}`, jwks_uri: issuer.jwksUrl }) }),
  ],
  [
    "issuer-wrong-status",
    "503",
    "keys of a trusted issuer that are not there",
    async () => {
      await publish(trusted.jwksUrl, { status: 404 });
      return ofTrusted();
    },
  ],
];
