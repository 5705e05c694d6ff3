import { env } from "cloudflare:workers";
import { createLocalJWKSet, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { putStoreSchema } from "../../src/contract/store.ts";
import { parseConfig } from "../../src/worker/config.ts";
import { identityOf, identityToken } from "../../src/worker/stores/identity-token.ts";
import { call } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { exchange, REFUSED } from "../support/exchange.ts";
import { sign } from "../support/sign.ts";
import { OIDC_TEST_KEY } from "../support/test-secrets.ts";
import { ask, PUBLIC_URL, VAULT } from "./declared.ts";

const now = new Date();
const definition = putStoreSchema.parse(VAULT);
const provider = async () => (await parseConfig({ ...env, OIDC_KEY: OIDC_TEST_KEY, PUBLIC_URL })).provider ?? expect.fail("no provider");
const tokenFor = async (org: string, name = "vault") => {
  const found = await provider();
  return identityToken(found, identityOf({ provider: found, insecureOrigins: false }, org, name, definition), now);
};

describe("as an OpenID provider", () => {
  it("publishes a configuration and keys for each organization, to anybody, for five minutes", async () => {
    const configuration = await ask("GET /oidc/acme/.well-known/openid-configuration", { token: null });
    expect([configuration.status, configuration.headers.get("Cache-Control")]).toEqual([200, "public, max-age=300"]);
    expect(configuration.body).toMatchObject({
      issuer: `${PUBLIC_URL}/oidc/acme`,
      jwks_uri: `${PUBLIC_URL}/oidc/acme/jwks.json`,
      id_token_signing_alg_values_supported: ["RS256"],
    });
    const jwks = await ask(`GET ${new URL(configuration.body.jwks_uri).pathname}`, { token: null });
    const { n, e, kid } = JSON.parse(OIDC_TEST_KEY);
    expect([jwks.status, jwks.headers.get("Cache-Control"), jwks.body]).toEqual([
      200,
      "public, max-age=300",
      { keys: [{ kty: "RSA", n, e, kid, alg: "RS256", use: "sig" }] },
    ]);
  });

  it("signs tokens for a store that these keys verify: for one organization, one audience and five minutes", async () => {
    const token = await tokenFor("acme");
    const { keys } = (await ask("GET /oidc/acme/jwks.json", { token: null })).body;
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet({ keys }), { algorithms: ["RS256"], issuer: `${PUBLIC_URL}/oidc/acme` });
    const { iat = 0 } = payload;
    expect(payload).toEqual({
      iss: `${PUBLIC_URL}/oidc/acme`,
      sub: "store:vault",
      aud: VAULT.address,
      iat,
      nbf: iat,
      exp: iat + 300,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(protectedHeader).toEqual({ alg: "RS256", typ: "JWT", kid: JSON.parse(OIDC_TEST_KEY).kid });
  });

  it.each([
    [{ kind: "aws-secrets-manager", region: "eu-central-1", role_arn: "arn:aws:iam::123456789012:role/x" }, "sts.amazonaws.com"],
    [
      { kind: "azure-key-vault", vault_url: "https://a-b.vault.azure.net", tenant_id: crypto.randomUUID(), client_id: crypto.randomUUID() },
      "api://AzureADTokenExchange",
    ],
    [VAULT, VAULT.address],
  ])("has the audience of a store's kind, which nobody sets: %o", async (json, audience) => {
    expect(identityOf({ provider: { publicUrl: PUBLIC_URL }, insecureOrigins: false }, "acme", "s", putStoreSchema.parse(json)).audience).toBe(audience);
  });

  it("has no configuration for what is no organization's name", async () => {
    for (const org of ["%00", "a%2Fb", "a%20b", "secrets"])
      for (const path of [".well-known/openid-configuration", "jwks.json"])
        expect([org, (await ask(`GET /oidc/${org}/${path}`, { token: null })).body.code]).toEqual([org, "invalid-request"]);
  });

  it("is none without a key or an address: nothing is published", async () => {
    for (const vars of [{}, { OIDC_KEY: OIDC_TEST_KEY }, { PUBLIC_URL }])
      for (const path of [".well-known/openid-configuration", "jwks.json"])
        expect((await callWith(vars)(`GET /oidc/acme/${path}`, { token: null })).body.code).toBe("route-not-found");
  });
});

describe("an identity token", () => {
  it("is no access token, not even where an operator trusts its issuer", async () => {
    const issuer = `${PUBLIC_URL}/oidc/acme`;
    const trusting = callWith({
      OIDC_KEY: OIDC_TEST_KEY,
      PUBLIC_URL,
      TRUSTED_ISSUERS: JSON.stringify([{ issuer, jwks_url: `${issuer}/jwks.json`, audience: VAULT.address, algorithms: ["RS256"], org: "acme" }]),
    });
    const token = await tokenFor("acme");
    for (const asking of [ask, trusting]) expect((await asking("GET /v1/whoami", { token })).body.code).toBe("unauthenticated");
  });

  it("is exchanged for nothing: no trust names its issuer, and one that did before counts for nothing", async () => {
    const issuer = `${PUBLIC_URL}/oidc/acme`;
    const jwks = { keys: [(await ask("GET /oidc/acme/jwks.json", { token: null })).body.keys[0]] };
    const trust = { issuer, audience: VAULT.address, claims: { sub: "store:vault" }, permissions: ["secrets:read"], jwks };
    const refused = await ask("PUT /v1/trusts/own", { json: trust });
    expect([refused.status, refused.body.errors?.[0]?.pointer]).toEqual([400, "/issuer"]);
    // Made by a Worker that did not know its own address yet.
    expect((await call("PUT /v1/trusts/own", { json: trust })).status).toBe(201);
    const token = await tokenFor("acme");
    const exchanging = (asking: typeof call) => exchange(token, { audience: "acme/own" }, asking);
    expect((await exchanging(call)).status, "so the token and the trust are good").toBe(200);
    const { status, body } = await exchanging(ask);
    expect([status, body]).toEqual([400, REFUSED]);
  });

  it("is not what an access token is: those are signed with other keys, for another issuer", async () => {
    const { keys } = (await ask("GET /oidc/acme/jwks.json", { token: null })).body;
    await expect(jwtVerify(await sign(), createLocalJWKSet({ keys }))).rejects.toThrow();
    const own = (await ask("GET /.well-known/jwks.json", { token: null })).body.keys as { kid: string }[];
    expect(own.map(({ kid }) => kid)).not.toContain(keys[0].kid);
  });
});
