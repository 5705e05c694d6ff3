import { env } from "cloudflare:workers";
import { describe, expect, inject, it } from "vitest";
import { findAllowRule } from "../../src/contract/allow-rule.ts";
import { parseRequestPath, type RequestPath } from "../../src/contract/request-path.ts";
import { PRESET_NAMES, type PresetName, presetOf, presetsAt } from "../../src/contract/service-presets.ts";
import { at, call, put, type Reply } from "../support/call.ts";
import { eventsOf } from "../support/events-of.ts";
import type { TokenClaims } from "../support/sign.ts";
import { definition, serve, use } from "./upstream.ts";

const orgOf = (name: string) => `${name}-${crypto.randomUUID().slice(0, 8)}`;
const SAID = {
  origin: "https://api.example.com",
  scopes: ["global", "namespace:prod"],
  inject: [{ in: "header", name: "Authorization", value: "Bearer ${API_KEY}" }],
  allow: [{ methods: ["POST"], paths: ["/v1/chat"] }],
};
const pointers = ({ status, body }: Reply) => [status, ...(body.errors ?? []).map(({ pointer }: { pointer: string }) => pointer)];

describe("a service", () => {
  it("is made, shown, replaced, listed and deleted, and all of that is on record", async () => {
    const org = orgOf("life");
    const token = { org };
    const made = await call("PUT /v1/services/api", { token, json: SAID });
    const shown = {
      name: "api",
      preset: null,
      builtin: false,
      revision: 1,
      origins: { "": SAID.origin },
      scopes: ["namespace:prod", "global"],
      inject: SAID.inject,
      allow: SAID.allow,
    };
    expect([made.status, made.body]).toEqual([201, expect.objectContaining(shown)]);
    expect((await call("GET /v1/services/api", { token })).body).toEqual(made.body);
    expect((await call("PUT /v1/services/api", { token, json: SAID })).body, "the same again is no change").toEqual(made.body);
    const replaced = await call("PUT /v1/services/api", { token, json: { ...SAID, max_seconds: 5, uses_per_minute: 60 } });
    expect([replaced.status, replaced.body]).toEqual([200, expect.objectContaining({ revision: 2, max_seconds: 5, uses_per_minute: 60 })]);
    await call("PUT /v1/services/b", { token, json: SAID });
    await call("PUT /v1/services/c", { token, json: SAID });
    const first = (await call("GET /v1/services?limit=2", { token })).body;
    const names = (page: { services: { name: string }[] }) => page.services.map(({ name }) => name);
    const own = (page: string[]) => page.filter((name) => ["api", "b", "c"].includes(name));
    expect(own(names(first))).toEqual(["api", "b"]);
    expect(own(names((await call(`GET /v1/services?cursor=${first.next_cursor}`, { token })).body))).toEqual(["c"]);
    expect([(await call("DELETE /v1/services/api", { token })).status, (await call("DELETE /v1/services/api", { token })).status]).toEqual([204, 404]);
    const events = (await eventsOf(org)).filter(({ action }) => action.startsWith("service."));
    expect(events.map(({ action, target }) => `${action} ${target}`)).toEqual(
      ["put api", "put api", "put api", "put b", "put c", "delete api"].map((text) => `service.${text}`),
    );
    expect((await call("GET /v1/usage", { token })).body.usage.services.used).toBe(2);
  });

  it("shows with secrets:use no more than its name, its preset and what it allows", async () => {
    const org = orgOf("shown");
    await call("PUT /v1/services/api", { token: { org }, json: SAID });
    const user = { org, scope: "secrets:use" };
    expect((await call("GET /v1/services/api", { token: user })).body).toEqual({ name: "api", preset: null, allow: SAID.allow, builtin: false });
    expect((await call("GET /v1/services", { token: user })).body.services.filter(({ builtin }: { builtin: boolean }) => !builtin)).toEqual([
      { name: "api", preset: null, allow: SAID.allow, builtin: false },
    ]);
    for (const path of ["/v1/services/api", "/v1/services"])
      expect((await call(`GET ${path}`, { token: { org, scope: "secrets:resolve secrets:read" } })).status).toBe(403);
    expect((await call("PUT /v1/services/api", { token: user, json: SAID })).status).toBe(403);
    expect((await call("DELETE /v1/services/api", { token: user })).status).toBe(403);
  });

  it.each([
    ["a scope", { secret_scopes: ["global"] }],
    ["a kind of scopes", { secret_scopes: ["repo:acme/*"] }],
    ["a secret", { secret_names: ["OTHER_*"] }],
  ])("is made, replaced and deleted only by whoever could have made it: not beyond %s", async (_, limits) => {
    const org = orgOf("limits");
    await call("PUT /v1/services/api", { token: { org }, json: { ...SAID, scopes: ["namespace:prod", "repo:*"] } });
    const token = { org, ...limits };
    const mine = { ...SAID, scopes: ["global"], inject: [{ in: "header", name: "X-Key", value: "${OTHER_KEY}" }] };
    expect((await call("PUT /v1/services/api", { token, json: mine })).status).toBe(403);
    expect((await call("PUT /v1/services/new", { token, json: { ...SAID, scopes: ["namespace:prod", "repo:*"] } })).status).toBe(403);
    expect((await call("DELETE /v1/services/api", { token })).status).toBe(403);
    expect((await call("GET /v1/services/api", { token: { org } })).body.revision).toBe(1);
  });

  it("is not believed where it is not what was written", async () => {
    const { org } = await serve();
    const bend = (sql: string) => env.DB.prepare(`UPDATE services SET ${sql} WHERE org = ?`).bind(org).run();
    await bend(`definition = replace(definition, '127.0.0.1', 'localhost')`);
    for (const request of ["GET /use/api/echo/x", "GET /v1/services/api", "DELETE /v1/services/api", "GET /v1/services"])
      expect([request, (await use(request, { token: { org } })).body.code]).toEqual([request, "integrity-failed"]);
    expect((await use("PUT /v1/services/api", { token: { org }, json: definition() })).body.code).toBe("integrity-failed");
  });

  it("is within the organization's quota", async () => {
    const org = orgOf("quota");
    await call(`PUT /v1/quotas/${org}`, { token: { org: "platform" }, json: { services: 1 } });
    expect((await call("PUT /v1/services/a", { token: { org }, json: SAID })).status).toBe(201);
    expect((await call("PUT /v1/services/b", { token: { org }, json: SAID })).body.code).toBe("quota-exceeded");
    expect((await call("PUT /v1/services/a", { token: { org }, json: { ...SAID, basic: true } })).status).toBe(200);
  });

  it("begins another epoch with each change", async () => {
    const org = orgOf("epoch");
    const epochs = new Set<unknown>();
    const note = async () => epochs.add(await env.DB.prepare("SELECT epoch FROM epochs WHERE org = ?").bind(org).first("epoch"));
    for (const [request, json] of [
      ["PUT", SAID],
      ["PUT", { ...SAID, basic: true }],
      ["DELETE", undefined],
    ] as const) {
      await call(`${request} /v1/services/api`, { token: { org }, json });
      await note();
    }
    expect(epochs.size).toBe(3);
  });
});

describe("a definition", () => {
  const refusedAt = async (fields: object) => pointers(await call("PUT /v1/services/api", { token: { org: "definitions" }, json: { ...SAID, ...fields } }));

  it.each([
    ...[
      "http://api.example.com",
      "https://127.0.0.1",
      "https://2130706433",
      "https://0x7f.0.0.1",
      "https://0177.1",
      "https://[::1]",
      "https://[::ffff:7f00:1]",
    ],
    ...["https://localhost", "https://x.localhost", "https://10.0.0.1", "https://169.254.169.254", "https://metadata.google.internal", "https://printer.local"],
    ...["https://user@api.example.com", "https://api.example.com:8443", "https://api.example.com/", "https://api.example.com/v1", "https://api.example.com?x"],
    ...[
      "https://API.example.com",
      "https://api.example.com.",
      "https://keyhole.test",
      "https://intranet",
      "ftp://api.example.com",
      "https://１２７.0.0.1",
      "https://api.example.com\\@evil.org",
    ],
  ])("sends nothing to %s", async (origin) => {
    expect(await refusedAt({ origin })).toEqual([400, "/origin"]);
    const [status, pointer] = await refusedAt({ origin: undefined, origins: { "": "https://api.example.com", other: origin } });
    expect([status, String(pointer)]).toEqual([400, expect.stringMatching(/^\/origins/)]);
  });

  it.each([
    ["no scopes", { scopes: [] }, "/scopes"],
    ["two scopes of a kind", { scopes: ["namespace:a", "namespace:b"] }, "/scopes"],
    ["two kinds with *", { scopes: ["repo:*", "agent:*"] }, "/scopes"],
    ["what is built in", { scopes: ["builtin"] }, "/scopes"],
    ["a pattern of scopes", { scopes: ["repo:acme/*"] }, "/scopes/0"],
    ["no credential", { inject: [] }, "/inject"],
    ["a credential without a secret", { inject: [{ in: "header", name: "X-Key", value: "plain" }] }, "/inject/0/value"],
    ["a line end in a credential", { inject: [{ in: "header", name: "X-Key", value: "${K}\r\nX: 1" }] }, "/inject/0/value"],
    ["half a name", { inject: [{ in: "header", name: "X-Key", value: "${K} ${" }] }, "/inject/0/value"],
    ["a header that is another's", { inject: [{ in: "header", name: "Host", value: "${K}" }] }, "/inject/0/name"],
    ["a cookie", { inject: [{ in: "header", name: "Cookie", value: "${K}" }] }, "/inject/0/name"],
    ["a header that is no name", { inject: [{ in: "header", name: "X Key", value: "${K}" }] }, "/inject/0/name"],
    [
      "two credentials in one place",
      {
        inject: [
          { in: "header", name: "authorization", value: "${K}" },
          { in: "basic", username: "u", password: "${K}" },
        ],
      },
      "/inject",
    ],
    [
      "a signature of AWS for no service",
      { inject: [{ in: "aws-sigv4", access_key_id: "${A}", secret_access_key: "${B}", services: [] }] },
      "/inject/0/services",
    ],
    [
      "a signature of AWS without a secret",
      { inject: [{ in: "aws-sigv4", access_key_id: "${A}", secret_access_key: "b", services: ["s3"] }] },
      "/inject/0/secret_access_key",
    ],
    [
      "two credentials of which each has Authorization",
      {
        inject: [
          { in: "aws-sigv4", access_key_id: "${A}", secret_access_key: "${B}", services: ["s3"] },
          { in: "oauth2", token_url: "https://a.example.com/t", client_id: "a", client_secret: "${B}" },
        ],
      },
      "/inject",
    ],
    ["another way to inject", { inject: [{ in: "cookie", name: "a", value: "${B}" }] }, "/inject/0/in"],
    ["no use in a minute", { uses_per_minute: 0 }, "/uses_per_minute"],
    ["a part of a name for addresses", { url_fields: ["a*"] }, "/url_fields/0"],
    ["half a WebSocket", { websocket: "yes" }, "/websocket"],
    ["an unknown way of being on record", { audit: "never" }, "/audit"],
    ["no rule", { allow: [] }, "/allow"],
    ["a rule without a method", { allow: [{ methods: [], paths: ["/x"] }] }, "/allow/0/methods"],
    ["both kinds of origins", { origins: { "": "https://api.example.com" } }, "/origin"],
    ["the secret of a preset", { secret: "K" }, "/secret"],
    ["what there is not", { follow_redirects: true }, "/follow_redirects"],
  ])("has not %s", async (_, fields, pointer) => {
    expect(await refusedAt(fields)).toEqual([400, pointer]);
  });

  it("sends to the API of a preset only what it takes, where it takes it", async () => {
    const inject = (name: string, value = "${API_KEY}") => ({ inject: [{ in: "query", name, value }] });
    expect(await refusedAt({ origin: "https://slack.com", ...inject("text") })).toEqual([400, "/inject/0"]);
    expect(await refusedAt({ origin: "https://slack.com", inject: [{ in: "header", name: "X-Text", value: "${API_KEY}" }] })).toEqual([400, "/inject/0"]);
    expect(await refusedAt({ origin: "https://slack.com" })).toEqual([201]);
  });
});

describe("a preset", () => {
  const isRead = (preset: PresetName, text: string) => {
    const path = parseRequestPath(text) as RequestPath;
    return findAllowRule(presetOf(preset).allow, { method: "GET", path, query: "", target: null }) !== -1;
  };

  it.each(PRESET_NAMES)("%s fills in all of it", async (preset) => {
    const origin = { "azure-openai": "https://mine.openai.azure.com", "aws-bedrock": "https://bedrock-runtime.us-east-1.amazonaws.com" }[preset as string];
    const json = { preset, secret: "THE_KEY", scopes: ["global"], ...(origin && { origin }) };
    const { status, body } = await call(`PUT /v1/services/${preset}`, { token: { org: "presets" }, json });
    expect([status, body.preset, body.audit]).toEqual([201, preset, "lease"]);
    expect(JSON.stringify(body.inject)).toContain("${THE_KEY}");
    for (const url of Object.values<string>(body.origins)) expect(presetsAt(new URL(url).hostname), url).not.toEqual([]);
  });

  it.each([
    [
      "github",
      ["", "/commits/main/status", "/contents/src/a.ts", "/pulls/1/files", "/actions/runs/1/jobs", "/releases/latest"].map((rest) => `/repos/acme/api${rest}`),
    ],
    ["gitlab", ["/user", "/projects/1/repository/files/a%2Fb/raw", "/projects/acme%2Fapi/merge_requests/1/notes"].map((rest) => `/api/v4${rest}`)],
    ["huggingface", ["/v1/models", "/api/models", "/api/models/acme/m/revision/main", "/api/datasets/acme/d/tree/main/data", "/acme/m/resolve/main/a.json"]],
    ["gemini", ["/v1beta/models", "/v1beta/models/gemini/operations/1", "/v1beta/interactions/1"]],
  ] as const)("%s lets an agent read", (preset, paths) => {
    for (const path of paths) expect([path, isRead(preset, path)]).toEqual([path, true]);
  });

  it.each([
    [
      "github",
      [
        "/secret-scanning/alerts",
        "/actions/secrets/public-key",
        "/actions/variables",
        "/hooks",
        "/keys",
        "/dependabot/secrets",
        "/codespaces/secrets",
        "/environments",
      ].map((rest) => `/repos/acme/api${rest}`),
    ],
    [
      "gitlab",
      ["variables", "triggers", "hooks", "runners", "deploy_tokens", "pipelines/1/variables", "secure_files"].map((rest) => `/api/v4/projects/1/${rest}`),
    ],
    [
      "huggingface",
      [
        "/api/models/acme/m/xet-write-token",
        "/api/models/acme/m/xet-read-token/main",
        "/api/datasets/acme/d/xet-write-token/main",
        "/api/spaces/acme/s/secrets",
      ],
    ],
    ["openai", ["/v1/organization/admin_api_keys", "/v1/files", "/v1/realtime/client_secrets"]],
    ["anthropic", ["/v1/organizations/api_keys", "/v1/files"]],
    ["stripe", ["/v1/ephemeral_keys", "/v1/webhook_endpoints", "/v1/apps/secrets", "/v1/payouts"]],
    ["slack", ["/api/apps.connections.open", "/api/admin.users.list", "/api/auth.revoke", "/api/oauth.v2.access"]],
  ] as const)("%s lets nobody see other secrets", (preset, paths) => {
    for (const path of paths) expect([path, isRead(preset, path)]).toEqual([path, false]);
  });

  it("takes the address of another's only where customers have one, and needs it there", async () => {
    const place = async (preset: string, origin?: string) =>
      pointers(await call("PUT /v1/services/p", { token: { org: "presets" }, json: { preset, secret: "K", scopes: ["global"], ...(origin && { origin }) } }));
    expect(await place("azure-openai")).toEqual([400, "/origin"]);
    expect(await place("azure-openai", "https://evil.example.com")).toEqual([400, "/origin"]);
    expect(await place("openai", "https://evil.example.com")).toEqual([400, "/origin"]);
    expect(await place("gitlab", "https://gitlab.example.com")).toEqual([201]);
  });

  it("needs the name of the secret, and has its own credentials", async () => {
    const json = { preset: "openai", scopes: ["global"], inject: SAID.inject };
    expect(pointers(await call("PUT /v1/services/p", { token: { org: "presets" }, json }))).toEqual([400, "/secret", "/inject"]);
  });
});

describe("the hosts of a secret", () => {
  const writer = { scope: "secrets:write secrets:read services:write secrets:use" };
  const secretOf = async (org: string) => (await call(`GET ${at("global", "K")}`, { token: { org } })).body;
  async function kept(fields: object = {}): Promise<{ org: string; id: string; token: TokenClaims }> {
    const org = orgOf("hosts");
    const { id } = (await put("global", "K", "value-of-a-colleague", { token: { org }, fields })).body;
    return { org, id, token: { org, ...writer } };
  }

  it("are added later only by whoever may read the value, or brings it", async () => {
    const { org, id, token } = await kept();
    const hosts = ["evil.example.com"];
    const patched = await call(`PATCH /v1/secrets/${id}`, { token, json: { hosts } });
    expect([patched.status, patched.headers.get("WWW-Authenticate")]).toEqual([403, 'Bearer error="insufficient_scope", scope="secrets:resolve"']);
    expect((await secretOf(org)).hosts).toEqual([]);
    expect((await put("global", "K", "value-of-a-colleague", { token, fields: { hosts } })).body.hosts, "who knows the value may").toEqual(hosts);
    const other = await kept();
    expect((await put("global", "K", "value-of-my-own", { token: other.token, fields: { hosts } })).status).toBe(200);
    const reader = await kept();
    expect((await call(`PATCH /v1/secrets/${reader.id}`, { token: { org: reader.org }, json: { hosts } })).body.hosts).toEqual(hosts);
    expect(
      (await call(`PATCH /v1/secrets/${reader.id}`, { token: { org: reader.org, ...writer, secret_scopes: ["team:x"] }, json: { hosts: [] } })).status,
    ).toBe(403);
  });

  it("that came with a value of somebody's own are not for another one: not by a rollback, a rotation or an import", async () => {
    const hosts = ["evil.example.com", "api.openai.com"];
    for (const change of ["rollback", "rotation", "import", "revival"]) {
      const { org, id, token } = await kept();
      const version = (await put("global", "K", "value-of-my-own", { token, fields: { hosts } })).body;
      expect([version.version, version.hosts]).toEqual([2, [...hosts].sort()]);
      if (change === "rollback") expect((await call(`POST /v1/secrets/${id}/rollback`, { token, json: { version: 1 } })).status).toBe(200);
      if (change === "rotation") await put("global", "K", "the-next-value", { token: { org } });
      if (change === "import") await call("POST /v1/import", { token: { org }, json: { scope: "global", secrets: { K: "the-next-value" } } });
      if (change === "revival") {
        await call(`DELETE ${at("global", "K")}`, { token });
        await call(`PUT ${at("global", "K")}?undelete=true`, { token, json: { value: "value-of-my-own", hosts } });
        await call(`POST /v1/secrets/${id}/rollback`, { token, json: { version: 1 } });
      }
      expect([change, (await secretOf(org)).hosts]).toEqual([change, ["api.openai.com"]]);
    }
  });

  it("that whoever may read it has said stay with the next value", async () => {
    const { org, token } = await kept({ hosts: ["api.example.com"] });
    expect((await put("global", "K", "the-next-value", { token })).body.hosts).toEqual(["api.example.com"]);
    expect((await put("global", "K", "another-value", { token, fields: { hosts: ["api.example.com"] } })).body.hosts).toEqual(["api.example.com"]);
    expect((await put("global", "K", "yet-another-value", { token: { org } })).body.hosts).toEqual(["api.example.com"]);
  });

  it("of a preset may be added by whoever may write, and any may be taken away", async () => {
    const { id, token } = await kept({ hosts: ["*.example.com"] });
    const patch = (hosts: string[]) => call(`PATCH /v1/secrets/${id}`, { token, json: { hosts } });
    expect((await patch(["*.example.com", "api.openai.com"])).body.hosts).toEqual(["*.example.com", "api.openai.com"]);
    expect((await patch(["a.example.com", "*.b.example.com"])).body.hosts, "narrower is not more").toEqual(["*.b.example.com", "a.example.com"]);
    expect((await patch(["a.example.com", "b.example.com"])).status).toBe(403);
    expect((await patch([])).body.hosts).toEqual([]);
  });

  it("are names, and no addresses", async () => {
    const { id, org } = await kept();
    for (const host of ["10.0.0.1", "api.example.com:443", "https://api.example.com", "*", "*.com", "a.*.com", "metadata.google.internal"])
      expect([host, (await call(`PATCH /v1/secrets/${id}`, { token: { org }, json: { hosts: [host] } })).status]).toEqual([host, 400]);
  });

  it("keep a service from sending a colleague's secret to a host of one's own", async () => {
    const { org, token } = await kept();
    const service = definition({ inject: [{ in: "header", name: "X-Key", value: "${K}" }] });
    expect((await use("PUT /v1/services/mine", { token, json: service })).status).toBe(201);
    expect((await use("GET /use/mine/echo/x", { token })).body.code).toBe("use-not-allowed");
    await put("global", "K", "value-of-my-own", { token, fields: { hosts: ["127.0.0.1"] } });
    expect((await use("GET /use/mine/echo/x", { token })).status).toBe(200);
    await call(`POST /v1/secrets/${(await secretOf(org)).id}/rollback`, { token, json: { version: 1 } });
    expect((await use("GET /use/mine/echo/x", { token })).body.code).toBe("use-not-allowed");
    expect(inject("upstream")).toContain("127.0.0.1");
  });
});
