import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, put, type Reply } from "../support/call.ts";
import { eventsOf } from "../support/events-of.ts";
import { putExpired } from "../support/put-expired.ts";
import { ask, orgOf, PUBLIC_URL, putToken, ref, VAULT, WITH_TOKEN } from "./declared.ts";

const pointers = ({ status, body }: Reply) => [status, ...(body.errors ?? []).map(({ pointer }: { pointer: string }) => pointer)];
const AWS = { kind: "aws-secrets-manager", region: "eu-central-1" };
const AZURE = {
  kind: "azure-key-vault",
  vault_url: "https://acme-prod.vault.azure.net",
  tenant_id: "3F2B9C4E-8d1a-4c57-9b0e-2a6d5f7c8e91",
  client_id: "7c1e5d2a-4b8f-4e3c-a6d9-0f1b2c3d4e5f",
};

describe("a store", () => {
  it("is made, shown, replaced, listed and deleted, and all of that is on record", async () => {
    const org = orgOf("life");
    const token = { org };
    const made = await ask("PUT /v1/stores/vault", { token, json: VAULT });
    const identity = { issuer: `${PUBLIC_URL}/oidc/${org}`, subject: "store:vault", audience: VAULT.address };
    const shown = { name: "vault", revision: 1, ...VAULT, allow: [], refresh_seconds: 60, stale_seconds: 0, identity };
    expect([made.status, made.body]).toEqual([201, expect.objectContaining(shown)]);
    expect((await ask("GET /v1/stores/vault", { token })).body).toEqual(made.body);
    expect((await ask("PUT /v1/stores/vault", { token, json: VAULT })).body, "the same again is no change").toEqual(made.body);
    const replaced = await ask("PUT /v1/stores/vault", { token, json: { ...VAULT, namespace: "admin", stale_seconds: 5 } });
    expect([replaced.status, replaced.body]).toEqual([200, expect.objectContaining({ revision: 2, namespace: "admin", stale_seconds: 5 })]);
    for (const name of ["b", "c"]) await ask(`PUT /v1/stores/${name}`, { token, json: VAULT });
    const first = (await ask("GET /v1/stores?limit=2", { token })).body;
    const names = (page: { stores: { name: string }[] }) => page.stores.map(({ name }) => name);
    expect(names(first)).toEqual(["b", "c"]);
    expect(names((await ask(`GET /v1/stores?cursor=${first.next_cursor}`, { token })).body)).toEqual(["vault"]);
    expect([(await ask("DELETE /v1/stores/vault", { token })).status, (await ask("DELETE /v1/stores/vault", { token })).status]).toEqual([204, 404]);
    const events = (await eventsOf(org)).filter(({ action }) => action.startsWith("store."));
    expect(events.map(({ action, target }) => `${action} ${target}`)).toEqual(
      ["put vault", "put vault", "put vault", "put b", "put c", "delete vault"].map((text) => `store.${text}`),
    );
    expect((await ask("GET /v1/usage", { token })).body.usage.stores.used).toBe(2);
  });

  it("is not believed where it is not what was written", async () => {
    const org = orgOf("bent");
    await ask("PUT /v1/stores/vault", { token: { org }, json: VAULT });
    await env.DB.prepare("UPDATE stores SET definition = replace(definition, 'vault.example.com', 'vault.example.org') WHERE org = ?").bind(org).run();
    for (const request of ["GET /v1/stores/vault", "GET /v1/stores", "DELETE /v1/stores/vault", "PUT /v1/stores/vault", "POST /v1/stores/vault/check"])
      expect([request, (await ask(request, { token: { org }, ...(request.startsWith("PUT") && { json: VAULT }) })).body.code]).toEqual([
        request,
        "integrity-failed",
      ]);
  });

  it("is within the organization's quota", async () => {
    const org = orgOf("quota");
    await call(`PUT /v1/quotas/${org}`, { token: { org: "platform" }, json: { stores: 1 } });
    expect((await ask("PUT /v1/stores/a", { token: { org }, json: VAULT })).status).toBe(201);
    expect((await ask("PUT /v1/stores/b", { token: { org }, json: VAULT })).body.code).toBe("quota-exceeded");
    expect((await ask("PUT /v1/stores/a", { token: { org }, json: { ...VAULT, mount: "kv" } })).status).toBe(200);
  });

  it("begins another epoch with each change", async () => {
    const org = orgOf("epoch");
    const epochs = new Set<unknown>();
    for (const [method, json] of [
      ["PUT", VAULT],
      ["PUT", { ...VAULT, mount: "kv" }],
      ["DELETE", undefined],
    ] as const) {
      await ask(`${method} /v1/stores/vault`, { token: { org }, json });
      epochs.add(await env.DB.prepare("SELECT epoch FROM epochs WHERE org = ?").bind(org).first("epoch"));
    }
    expect(epochs.size).toBe(3);
  });
});

describe("whoever makes a store", () => {
  const ALLOWING = { ...VAULT, allow: [{ scopes: ["namespace:prod", "repo:acme/*"], keys: ["prod/*"] }] };

  it.each([
    ["a scope that it lets have keys", ["namespace:prod"]],
    ["all that a pattern of scopes means", ["namespace:prod", "repo:acme/api"]],
    ["any of it", []],
  ])("has to cover %s, to replace and delete it too", async (_, secret_scopes) => {
    const org = orgOf("maker");
    await ask("PUT /v1/stores/vault", { token: { org }, json: ALLOWING });
    const token = { org, secret_scopes };
    expect((await ask("PUT /v1/stores/new", { token, json: ALLOWING })).body.code).toBe("forbidden");
    expect((await ask("PUT /v1/stores/vault", { token, json: VAULT })).body.code).toBe("forbidden");
    for (const request of ["DELETE /v1/stores/vault", "POST /v1/stores/vault/check"]) expect((await ask(request, { token })).body.code).toBe("forbidden");
    expect((await ask("GET /v1/stores/vault", { token: { org } })).body.revision).toBe(1);
  });

  it.each([
    ["the scope of a credential", { secret_scopes: ["namespace:other"] }],
    ["the name of a credential", { secret_names: ["OTHER_*"] }],
    ["a use of the credential", { scope: "stores:write secrets:read secrets:write" }],
    ["a use of it by more than services", { scope: "stores:write secrets:use", services: ["openai"] }],
  ])("has to be allowed %s, to replace, delete and check it too", async (_, limits) => {
    const org = orgOf("maker");
    await putToken(org);
    expect((await ask("PUT /v1/stores/vault", { token: { org }, json: WITH_TOKEN })).status).toBe(201);
    const token = { org, ...limits };
    for (const request of ["PUT /v1/stores/new", "PUT /v1/stores/vault"]) expect((await ask(request, { token, json: WITH_TOKEN })).body.code).toBe("forbidden");
    expect((await ask("PUT /v1/stores/vault", { token, json: VAULT })).body.code).toBe("forbidden");
    for (const request of ["DELETE /v1/stores/vault", "POST /v1/stores/vault/check"]) expect((await ask(request, { token })).body.code).toBe("forbidden");
    expect((await ask("GET /v1/stores/vault", { token: { org } })).body.revision).toBe(1);
  });

  it("has a grant of all scopes for what Keyhole's own identity opens while no scope is named: whoever has fewer would name their own", async () => {
    const org = orgOf("maker");
    const own = { ...VAULT, allow: [{ scopes: ["repo:acme/api"], keys: ["*"] }] };
    const token = { org, secret_scopes: ["repo:acme/api"] };
    await ask("PUT /v1/stores/vault", { token: { org }, json: VAULT });
    for (const json of [VAULT, own]) expect((await ask("PUT /v1/stores/vault", { token, json })).body.code).toBe("forbidden");
    for (const request of ["DELETE /v1/stores/vault", "POST /v1/stores/vault/check"]) expect((await ask(request, { token })).body.code).toBe("forbidden");
    expect((await ask("PUT /v1/stores/another", { token, json: VAULT })).body.code).toBe("forbidden");
    expect((await ask("PUT /v1/stores/another", { token, json: own })).status).toBe(201);
    expect((await ask("PUT /v1/stores/vault", { token: { org, secret_scopes: ["*"] }, json: VAULT })).status).toBe(200);
  });

  it.each(["secrets:use", "secrets:resolve"])("may use the credential by %s, within the grant", async (permission) => {
    const org = orgOf("maker");
    await putToken(org);
    const token = { org, scope: `stores:write ${permission}`, secret_scopes: ["namespace:ops"], secret_names: ["VAULT_*"] };
    expect((await ask("PUT /v1/stores/vault", { token, json: WITH_TOKEN })).status).toBe(201);
    expect((await ask("DELETE /v1/stores/vault", { token })).status).toBe(204);
  });
});

describe("a credential", () => {
  const making = (org: string, json: object) => ask("PUT /v1/stores/s", { token: { org }, json });

  it("is a secret that is there, has not expired, and is not locked above", async () => {
    const org = orgOf("there");
    expect((await making(org, WITH_TOKEN)).body.code).toBe("secret-not-found");
    await put("global", "VAULT_TOKEN", "hvs.one-for-all", { token: { org }, fields: { hosts: ["vault.example.com"] } });
    expect((await making(org, WITH_TOKEN)).body.code, "no other scope joins").toBe("secret-not-found");
    await putToken(org);
    expect((await making(org, WITH_TOKEN)).status).toBe(201);
    await put("global", "VAULT_TOKEN", "hvs.one-for-all", { token: { org }, fields: { hosts: ["vault.example.com"], locked: true } });
    expect((await making(org, WITH_TOKEN)).body.code).toBe("name-locked");
    const gone = orgOf("expired");
    await putExpired("namespace:ops", "VAULT_TOKEN", "hvs.old", { token: { org: gone } });
    expect((await making(gone, WITH_TOKEN)).body.code).toBe("secret-expired");
  });

  it.each<[string, object, string[], string[]]>([
    ["the Vault", WITH_TOKEN, ["vault.example.com"], ["vault.example.org"]],
    [
      "Secrets Manager",
      { ...AWS, credentials: { access_key_id: ref("namespace:ops", "VAULT_TOKEN"), secret_access_key: ref("namespace:ops", "VAULT_TOKEN") } },
      ["secretsmanager.eu-central-1.amazonaws.com"],
      ["sts.eu-central-1.amazonaws.com"],
    ],
    [
      "Secrets Manager and STS, where a role is assumed",
      {
        ...AWS,
        role_arn: "arn:aws:iam::123456789012:role/keyhole",
        credentials: { access_key_id: ref("namespace:ops", "VAULT_TOKEN"), secret_access_key: ref("namespace:ops", "VAULT_TOKEN") },
      },
      ["secretsmanager.eu-central-1.amazonaws.com", "sts.eu-central-1.amazonaws.com"],
      ["secretsmanager.eu-central-1.amazonaws.com"],
    ],
    [
      "the Key Vault and Entra",
      { ...AZURE, credentials: { client_secret: ref("namespace:ops", "VAULT_TOKEN") } },
      ["acme-prod.vault.azure.net", "login.microsoftonline.com"],
      ["acme-prod.vault.azure.net"],
    ],
    [
      "the Key Vault and Entra of another cloud",
      { ...AZURE, vault_url: "https://acme.vault.azure.cn", credentials: { private_key: ref("namespace:ops", "VAULT_TOKEN"), thumbprint: "0f".repeat(20) } },
      ["*.vault.azure.cn", "login.partner.microsoftonline.cn"],
      ["*.vault.azure.cn", "login.microsoftonline.com"],
    ],
  ])("is for the hosts of %s, each of them", async (_, json, hosts, too_few) => {
    const org = orgOf("hosts");
    await putToken(org, { hosts: ["elsewhere.example.com"] });
    const { detail } = (await making(org, json)).body;
    for (const host of hosts) expect(detail).toContain(host.replace("*", ""));
    await putToken(org, { hosts: too_few });
    const refused = await making(org, json);
    expect([refused.status, refused.body.code]).toEqual([422, "host-not-allowed"]);
    expect((await eventsOf(org)).at(-1)).toMatchObject({ action: "store.put", outcome: "denied" });
    await putToken(org, { hosts });
    expect((await making(org, json)).status).toBe(201);
  });
});

describe("a definition", () => {
  const refusedAt = async (json: object, insecure = false) => {
    return pointers(await (insecure ? ask : call)("PUT /v1/stores/s", { token: { org: "definitions" }, json }));
  };

  it.each([
    ...[
      "http://vault.example.com",
      "https://127.0.0.1:8200",
      "https://2130706433",
      "https://[::1]",
      "https://localhost",
      "https://10.0.0.1",
      "https://169.254.169.254",
    ],
    ...[
      "https://user@vault.example.com",
      "https://vault.example.com:8443",
      "https://vault.example.com/",
      "https://VAULT.example.com",
      "https://keyhole.test",
      "https://vault",
    ],
  ])("sends nothing to %s", async (address) => {
    expect(await refusedAt({ ...VAULT, address })).toEqual([400, "/address"]);
    expect(await refusedAt({ ...AWS, role_arn: "arn:aws:iam::123456789012:role/x", endpoint: address })).toEqual([400, "/endpoint"]);
    expect(await refusedAt({ ...AZURE, vault_url: address })).toEqual([400, "/vault_url"]);
  });

  it.each(["https://vault.example.com", "https://acme.vault.azure.net.example.com", "https://a.b.vault.azure.net", "https://vault.azure.net"])(
    "takes %s for no Key Vault: what Entra gives is good for every other one, too",
    async (vault_url) => {
      expect(await refusedAt({ ...AZURE, vault_url })).toEqual([400, "/vault_url"]);
    },
  );

  it.each<[string, object, string]>([
    ["another kind", { ...VAULT, kind: "gcp" }, "/kind"],
    ["a path out of the mount", { ...VAULT, mount: "secret/../sys" }, "/mount"],
    ["a namespace with an empty part", { ...VAULT, namespace: "a//b" }, "/namespace"],
    ["an audience", { ...VAULT, audience: "sts.amazonaws.com" }, "/audience"],
    ["a Vault without credentials", { ...VAULT, credentials: undefined }, "/credentials"],
    ["a value for a credential", { ...VAULT, credentials: { token: "hvs.in-the-clear" } }, "/credentials"],
    ["credentials in two scopes", { ...AWS, credentials: { access_key_id: ref("global", "A"), secret_access_key: ref("team:a", "B") } }, "/credentials"],
    ["a credential in a pattern of scopes", { ...VAULT, credentials: { token: ref("repo:acme/*", "T") } }, "/credentials/token/secret_key_ref/scope"],
    ["a role and no way to assume it", AWS, "/role_arn"],
    ["a region that is a host", { ...AWS, role_arn: "arn:aws:iam::123456789012:role/x", region: "eu-central-1.example.com/" }, "/region"],
    ["a pattern of keys with a * in the middle", { ...VAULT, allow: [{ scopes: ["global"], keys: ["a*b"] }] }, "/allow/0/keys/0"],
    ["a rule without scopes", { ...VAULT, allow: [{ scopes: [], keys: ["*"] }] }, "/allow/0/scopes"],
    ["a refresh for longer than an hour", { ...VAULT, refresh_seconds: 3_601 }, "/refresh_seconds"],
  ])("is refused with %s", async (_, json, pointer) => {
    const [status, first] = await refusedAt(json, true);
    expect([status, first]).toEqual([400, pointer]);
  });

  it("needs credentials where the deployment is no OpenID provider", async () => {
    expect(await refusedAt(VAULT)).toEqual([400, "/credentials"]);
    expect(await refusedAt(AZURE)).toEqual([400, "/credentials"]);
  });
});
