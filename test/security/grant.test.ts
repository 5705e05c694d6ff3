import { expect, it } from "vitest";
import { call, put, resolve } from "../support/call.ts";
import { sign } from "../support/sign.ts";

it("takes config_vars:resolve as secrets:resolve and nothing more", async () => {
  await put("global", "ALIAS", "alias-value");
  const token = { scope: "config_vars:resolve" };
  expect((await resolve({ names: ["ALIAS"] }, { token })).body.secrets.ALIAS.value).toBe("alias-value");
  expect((await call("GET /v1/secrets", { token })).status).toBe(403);
});

it.each(["secrets:read secrets:write", "secrets:resolve:x", "SECRETS:RESOLVE", "secrets:*", "*", "secrets:read,secrets:resolve"])(
  "gives no value to a token with the scope %j",
  async (scope) => {
    await put("global", "UNRESOLVED", "unresolved-value");
    const reply = await resolve({ names: ["UNRESOLVED"] }, { token: { scope } });
    expect(reply.status).toBe(403);
    expect(reply.text).not.toContain("unresolved-value");
  },
);

it("never takes the organization from the request", async () => {
  await put("global", "TENANT", "tenant-value", { token: { org: "tenant" } });
  for (const path of ["/v1/secrets?org=tenant", "/v1/resolve/TENANT?org=tenant"]) expect((await call(`GET ${path}`)).status).toBe(400);
  const withHeaders = await resolve({ names: ["TENANT"] }, { headers: { "X-Org": "tenant", "X-Keyhole-Org": "tenant" } });
  expect(withHeaders.status).toBe(404);
  expect((await resolve({ names: ["TENANT"], org: "tenant" })).status).toBe(400);
});

it.each(["Basic x", "Bearer", "Bearer  ", "bearer a.b", "Token a.b.c", "a.b.c"])("refuses the header Authorization: %s with 401", async (Authorization) => {
  const { status, headers } = await call("GET /v1/secrets", { token: null, headers: { Authorization } });
  expect([status, headers.get("WWW-Authenticate")]).toEqual([401, 'Bearer error="invalid_token"']);
});

it("does not take a token from the query or a body", async () => {
  expect((await call(`GET /v1/secrets?access_token=${await sign()}`, { token: null })).status).toBe(401);
});

it("refuses a token of more than 8 KiB", async () => {
  expect((await call("GET /v1/secrets", { token: { note: "x".repeat(8000) } })).status).toBe(401);
});
