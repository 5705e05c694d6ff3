import { env, exports } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { put } from "../support/call.ts";

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
  ["with unknown props", { org: "acme", permissions: ["secrets:write"] }],
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
