import { env, exports } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { call, put } from "../support/call.ts";
import { eventsOf } from "../support/events-of.ts";

const GRANT = { org: "acme", name: "gateway", secret_scopes: ["namespace:prod", "global"], secret_names: ["OPENAI_*", "WIDE"] };

// biome-ignore lint/suspicious/noExplicitAny: some tests bind with props that are no grant.
function bind(props: any) {
  return exports.Resolver({ props });
}

beforeAll(async () => {
  await put("namespace:prod", "OPENAI_API_KEY", "sk-prod");
  await put("namespace:dev", "OPENAI_API_KEY", "sk-dev");
  await put("global", "OTHER", "other");
});

it("resolves within the grant of the binding's props, and records binding:<name>", async () => {
  const reply = await bind(GRANT).resolve({ scopes: ["namespace:prod"], names: ["OPENAI_API_KEY"] });
  expect(reply).toMatchObject({ ok: true, secrets: { OPENAI_API_KEY: { value: "sk-prod", scope: "namespace:prod" } }, searched: ["namespace:prod", "global"] });
  const event = await env.DB.prepare("SELECT actor, token_id, issuer, action, outcome FROM audit_events ORDER BY seq DESC LIMIT 1").first();
  expect(event).toEqual({ actor: "binding:gateway", token_id: null, issuer: null, action: "secret.resolve", outcome: "allowed" });
});

it.each([
  ["a scope", { scopes: ["namespace:dev"], names: ["OPENAI_API_KEY"] }],
  ["a name", { scopes: ["namespace:prod"], names: ["OTHER"] }],
])("refuses %s outside the grant, and records the refusal", async (_, request) => {
  const reply = await bind(GRANT).resolve(request);
  expect(reply).toMatchObject({ ok: false, problem: { code: "forbidden", status: 403 } });
  const event = await env.DB.prepare("SELECT actor, outcome FROM audit_events ORDER BY seq DESC LIMIT 1").first();
  expect(event).toEqual({ actor: "binding:gateway", outcome: "denied" });
});

it.each([
  ["without props", undefined],
  ["with props that name no organization", { secret_scopes: ["global"] }],
  ["with props that are no grant", { org: "acme", secret_scopes: "global" }],
  ["with another permission", { org: "acme", permissions: ["secrets:write"] }],
  ["with no permission", { org: "acme", permissions: [] }],
  ["with unknown props", { org: "acme", audience: "x" }],
])("refuses a binding %s", async (_, props) => {
  expect(await bind(props).resolve({ names: ["OPENAI_API_KEY"] })).toMatchObject({ ok: false, problem: { code: "unauthenticated", status: 401 } });
});

it("gives the refusals of a resolve as data", async () => {
  expect(await bind(GRANT).resolve({ scopes: ["namespace:prod"], names: ["OPENAI_MISSING"] })).toMatchObject({
    ok: false,
    problem: { code: "secret-not-found", missing: ["OPENAI_MISSING"] },
  });
  expect(await bind(GRANT).resolve({ scopes: ["nonsense"] })).toMatchObject({ ok: false, problem: { code: "invalid-request" } });
  expect(await bind(GRANT).resolve({ scopes: ["namespace:prod"], names: ["OPENAI_MISSING"], allow_missing: true })).toMatchObject({
    ok: true,
    missing: ["OPENAI_MISSING"],
  });
});

describe("a service by a binding", () => {
  const VALUE = "sk-binding-0123456789";
  const PROPS = { org: "binding", name: "worker", permissions: ["secrets:use"] };
  const asked: Request[] = [];

  beforeAll(async () => {
    const token = { org: "binding" };
    await put("global", "API_KEY", VALUE, { token, fields: { hosts: ["api.example.com"] } });
    const inject = [{ in: "header", name: "Authorization", value: "Bearer ${API_KEY}" }];
    const json = { origin: "https://api.example.com", scopes: ["global"], inject, allow: [{ methods: ["GET", "POST"], paths: ["/v1/**"] }], audit: "each" };
    expect((await call("PUT /v1/services/api", { token, json })).status).toBe(201);
  });
  afterEach(() => vi.restoreAllMocks());

  const answerWith = (answer: (request: Request) => Response) => {
    asked.length = 0;
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const request = new Request(input as URL, { ...init, signal: null } as RequestInit);
      asked.push(request);
      return answer(request);
    });
  };

  it("is used as by its path, with nothing of the value in the reply, and on record", async () => {
    answerWith(
      ({ headers }) => new Response(`you sent ${headers.get("Authorization")}`, { headers: { Link: '<https://api.example.com/v1/x?page=2>; rel="next"' } }),
    );
    const request = new Request("https://anywhere.example/v1/x?q=1", {
      method: "POST",
      body: "hello",
      headers: { Authorization: "Bearer own", Cookie: "a=b" },
    });
    const reply = await bind(PROPS).use("api", request);
    expect([reply.status, await reply.text()]).toEqual([200, `you sent Bearer ${"*".repeat(VALUE.length)}`]);
    expect(reply.headers.get("Link")).toBe('<https://service.invalid/v1/x?page=2>; rel="next"');
    expect(asked.map(({ url, headers }) => [url, headers.get("Cookie")])).toEqual([["https://api.example.com/v1/x?q=1", null]]);
    const [event] = (await eventsOf("binding")).filter(({ action }) => action === "secret.use");
    const actor = await env.DB.prepare("SELECT actor FROM audit_events WHERE org = 'binding' AND action = 'secret.use'").first("actor");
    expect(actor).toBe("binding:worker");
    expect(event).toMatchObject({ outcome: "allowed", target: "api#1 rule 1 POST /v1/x" });
  });

  it.each([
    ["that may only resolve", { ...PROPS, permissions: ["secrets:resolve"] }, "api", "/v1/x", "forbidden"],
    ["whose permission is left out", { org: "binding" }, "api", "/v1/x", "forbidden"],
    ["for another service", { ...PROPS, services: ["billing"] }, "api", "/v1/x", "forbidden"],
    ["of another organization", { ...PROPS, org: "another" }, "api", "/v1/x", "service-not-found"],
    ["at a path that no rule allows", PROPS, "api", "/v2/x", "use-not-allowed"],
    ["by a name that is none", PROPS, "../api", "/v1/x", "invalid-request"],
    ["without props", undefined, "api", "/v1/x", "unauthenticated"],
  ])("is refused to a binding %s", async (_, props, service, path, code) => {
    answerWith(() => new Response());
    const reply = await bind(props).use(service, new Request(`https://x.example${path}`));
    expect([reply.headers.get("Keyhole-Error"), ((await reply.json()) as { code: string }).code, asked]).toEqual([code, code, []]);
  });

  it("gives no value to a binding that may only use", async () => {
    expect(await bind(PROPS).resolve({ names: ["API_KEY"] })).toMatchObject({ ok: false, problem: { code: "forbidden" } });
  });
});
