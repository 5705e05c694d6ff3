import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { put } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { eventsOf } from "../support/events-of.ts";
import { OIDC_TEST_KEY } from "../support/test-secrets.ts";
import { ask as local, orgOf, PUBLIC_URL, ref } from "./declared.ts";
import { CLIENT, KEYS, openPlace, type Place, ROLE, VAULT_TOKEN } from "./place.ts";

/** Nothing here is on this machine: what is asked is what the fakes are at. */
const ask = callWith({ OIDC_KEY: OIDC_TEST_KEY, PUBLIC_URL });
const published = async (org: string) => (await ask(`GET /oidc/${org}/jwks.json`, { token: null })).body.keys as JWK[];

const SCOPE = "namespace:ops";
const AWS = { kind: "aws-secrets-manager", region: "eu-central-1" };
const AZURE = {
  kind: "azure-key-vault",
  vault_url: "https://keyhole-test.vault.azure.net",
  tenant_id: "11111111-2222-3333-4444-555555555555",
  client_id: CLIENT,
};
const VAULT = { kind: "vault", address: "https://vault.example.org:8200", mount: "secret" };
const HOSTS = {
  aws: ["secretsmanager.eu-central-1.amazonaws.com", "sts.eu-central-1.amazonaws.com"],
  azure: ["keyhole-test.vault.azure.net", "login.microsoftonline.com"],
  vault: ["vault.example.org"],
};
const KINDS: Record<keyof typeof HOSTS, { readonly definition: object; readonly values: Record<string, string> }> = {
  aws: {
    definition: { ...AWS, credentials: { access_key_id: ref(SCOPE, "ID"), secret_access_key: ref(SCOPE, "SECRET") } },
    values: { ID: KEYS.access_key_id, SECRET: KEYS.secret_access_key },
  },
  azure: { definition: { ...AZURE, credentials: { client_secret: ref(SCOPE, "SECRET") } }, values: { SECRET: "client-secret-of-the-test" } },
  vault: { definition: { ...VAULT, credentials: { token: ref(SCOPE, "TOKEN") } }, values: { TOKEN: VAULT_TOKEN } },
};
/** What each store calls its listing, where it knows who asks and refuses. */
const DENIED = { aws: "ListSecrets", azure: "GET", vault: "secret/metadata" };

let place: Place;
beforeEach(() => {
  place = openPlace();
  for (const fake of [place.aws, place.azure, place.vault]) fake.now = Date.now;
});
afterEach(() => void vi.restoreAllMocks());

async function made(kind: keyof typeof HOSTS, values = KINDS[kind].values): Promise<string> {
  const org = orgOf("check");
  for (const [name, value] of Object.entries(values)) await put(SCOPE, name, value, { token: { org }, fields: { hosts: HOSTS[kind] } });
  const { status, text } = await ask("PUT /v1/stores/s", { token: { org }, json: KINDS[kind].definition });
  expect(status, text).toBe(201);
  return org;
}
const check = (org: string, json?: object) => ask("POST /v1/stores/s/check", { token: { org }, ...(json && { json }) });

describe.each(Object.keys(HOSTS) as (keyof typeof HOSTS)[])("a check of a store with stored credentials: %s", (kind) => {
  it("works, and is on record with the secrets and without their values", async () => {
    const org = await made(kind);
    const reply = await check(org);
    expect([reply.status, reply.body]).toEqual([200, { ok: true, tried: "list", found: null, fails: null, detail: expect.any(String) }]);
    expect(place.network.asked.length).toBeGreaterThan(0);
    const event = (await eventsOf(org)).at(-1);
    expect(event).toMatchObject({ action: "store.check", outcome: "allowed", target: "s#1" });
    expect(event?.secrets.map(({ name, scope, version }) => [name, scope, version])).toEqual(
      Object.keys(KINDS[kind].values)
        .sort()
        .map((name) => [name, SCOPE, 1]),
    );
    for (const value of Object.values(KINDS[kind].values)) expect(reply.text + JSON.stringify(event)).not.toContain(value);
  });

  it("says that a key is not there", async () => {
    expect((await check(await made(kind), { key: "nothing-here" })).body).toMatchObject({ ok: true, tried: "read", found: false });
  });

  it("says that the credential is wrong, that the store refuses, and that nobody answers, and nothing that the store said", async () => {
    const wrong = await made(kind, Object.fromEntries(Object.keys(KINDS[kind].values).map((name) => [name, "ANOTHER-CREDENTIAL"])));
    expect((await check(wrong)).body).toMatchObject({ ok: false, fails: "credential", found: null });
    const org = await made(kind);
    for (const denied of [place.aws.denied, place.azure.denied, place.vault.denied]) denied.add(DENIED[kind]);
    expect((await check(org)).body).toMatchObject({ ok: false, fails: "permission" });
    vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response("the store's own words", { status: 418 }));
    const odd = await check(org);
    expect(odd.body).toMatchObject({ ok: false });
    expect(odd.text).not.toContain("own words");
  });

  it("releases nothing to a host that is not among the hosts of the secret any more", async () => {
    const org = await made(kind);
    const [name = ""] = Object.keys(KINDS[kind].values);
    await put(SCOPE, name, "another-value", { token: { org }, fields: { hosts: ["example.net"] } });
    const before = place.network.asked.length;
    const refused = await check(org);
    expect([refused.status, refused.body.code]).toEqual([422, "host-not-allowed"]);
    expect(place.network.asked).toHaveLength(before);
    expect((await eventsOf(org)).slice(-3).map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      "store.check allowed",
      "store.check denied",
      "store.check failed",
    ]);
  });
});

describe("a check of a store without stored credentials", () => {
  const storeOf = async (json: object, name = "s", org = orgOf("identity")) => {
    const { status, text } = await ask(`PUT /v1/stores/${name}`, { token: { org }, json });
    expect(status, text).toBe(201);
    return org;
  };
  const issuer = (org: string) => `${PUBLIC_URL}/oidc/${org}`;

  it("takes a role of AWS by a token that its STS verifies by the published keys, for one organization and one store", async () => {
    const org = await storeOf({ ...AWS, role_arn: ROLE });
    const keys = await published(org);
    place.aws.roles.set(ROLE, { identity: { issuer: issuer(org), subject: "store:s", keys: () => keys } });
    expect((await check(org)).body).toMatchObject({ ok: true });
    expect((await eventsOf(org)).at(-1)).toMatchObject({ action: "store.check", outcome: "allowed", target: "s#1", secrets: [] });
    await storeOf({ ...AWS, role_arn: ROLE }, "another", org);
    expect((await ask("POST /v1/stores/another/check", { token: { org } })).body, "what one store was given is not another's").toMatchObject({ ok: false });
    const other = await storeOf({ ...AWS, role_arn: ROLE });
    expect((await check(other)).body).toMatchObject({ ok: false, fails: "credential" });
  });

  it("gets access from an Entra that takes no ES256", async () => {
    const org = await storeOf(AZURE);
    const keys = await published(org);
    place.azure.apps.set(CLIENT, { federated: { issuer: issuer(org), subject: "store:s", keys: () => keys } });
    expect((await check(org)).body).toMatchObject({ ok: true });
    place.azure.apps.set(CLIENT, { federated: { issuer: issuer(org), subject: "store:other", keys: () => keys } });
    const other = await storeOf(AZURE);
    expect((await check(other)).body).toMatchObject({ ok: false, fails: "credential" });
    // The same Entra refuses what is signed otherwise.
    const { privateKey, publicKey } = await generateKeyPair("ES256");
    place.azure.apps.set(CLIENT, { federated: { issuer: "i", subject: "s", keys: () => [] } });
    const assertion = await new SignJWT({ jti: "1" })
      .setProtectedHeader({ alg: "ES256", kid: (await exportJWK(publicKey)).x ?? "" })
      .setIssuer("i")
      .setSubject("s")
      .setAudience("api://AzureADTokenExchange")
      .setExpirationTime("5m")
      .sign(privateKey);
    const form = { grant_type: "client_credentials", scope: "https://vault.azure.net/.default", client_id: CLIENT, client_assertion: assertion };
    const body = new URLSearchParams({ ...form, client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" });
    const refused = await place.azure.handle(new Request(`https://login.microsoftonline.com/${AZURE.tenant_id}/oauth2/v2.0/token`, { method: "POST", body }));
    expect([refused.status, await refused.text()]).toEqual([401, expect.stringContaining("ES256")]);
  });

  it("logs in at a Vault, by a token whose audience is the Vault's own address", async () => {
    const org = await storeOf({ ...VAULT, credentials: { role: "keyhole", jwt_auth: "jwt" } });
    const seen: unknown[] = [];
    place.vault.login = (role, jwt) => {
      seen.push([role, JSON.parse(atob((jwt.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/")))]);
      return true;
    };
    expect((await check(org)).body).toMatchObject({ ok: true });
    expect(seen).toEqual([["keyhole", expect.objectContaining({ iss: issuer(org), sub: "store:s", aud: VAULT.address })]]);
  });

  it("is not asked with what a store of its name was given before it", async () => {
    const json = { ...VAULT, credentials: { role: "keyhole", jwt_auth: "jwt" } };
    const org = await storeOf(json);
    place.vault.login = () => true;
    expect((await check(org)).body).toMatchObject({ ok: true });
    place.vault.login = () => false;
    expect((await check(org)).body, "what was given is kept").toMatchObject({ ok: true });
    expect((await ask("DELETE /v1/stores/s", { token: { org } })).status).toBe(204);
    await storeOf(json, "s", org);
    expect((await check(org)).body).toMatchObject({ ok: false, fails: "credential" });
  });

  it("says that there is no credential where the deployment is no OpenID provider any more, and asks nobody", async () => {
    const org = await storeOf({ ...AWS, role_arn: ROLE });
    const { body } = await callWith({})("POST /v1/stores/s/check", { token: { org } });
    expect(body).toMatchObject({ ok: false, fails: "credential" });
    expect(place.network.asked).toEqual([]);
  });

  it("is no more than the organization's events of a minute", async () => {
    const org = await storeOf({ ...AWS, role_arn: ROLE });
    await ask(`PUT /v1/quotas/${org}`, { token: { org: "platform" }, json: { events_per_minute: 1 } });
    expect((await check(org)).body.code).toBe("rate-limited");
    expect(place.network.asked).toEqual([]);
  });
});

it.each([
  ["without stored credentials", {}],
  ["with them", { credentials: { client_secret: ref(SCOPE, "SECRET") } }],
])("a store %s whose address is none any more is shown, and nothing is released to it", async (_, credentials) => {
  const org = orgOf("before");
  await put(SCOPE, "SECRET", "client-secret-of-the-test", { token: { org }, fields: { hosts: ["127.0.0.1", "login.microsoftonline.com"] } });
  const json = { ...AZURE, vault_url: "http://127.0.0.1:8443", ...credentials };
  expect((await local("PUT /v1/stores/s", { token: { org }, json })).status).toBe(201);
  const { stores } = (await ask("GET /v1/stores", { token: { org } })).body;
  expect(stores).toEqual([expect.objectContaining({ vault_url: json.vault_url, identity: null })]);
  const { status, body } = await check(org);
  expect([status, body]).toEqual([200, expect.objectContaining({ ok: false, fails: "address" })]);
  expect((await eventsOf(org)).map(({ action }) => action)).not.toContain("store.check");
  expect(place.network.asked).toEqual([]);
});
