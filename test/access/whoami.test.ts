import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { PERMISSIONS } from "../../src/contract/permission.ts";
import { call } from "../support/call.ts";
import { mint } from "../support/mint.ts";

it("shows what the token is and may do", async () => {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const reply = await call("GET /v1/whoami", {
    token: { sub: "alice", jti: "tok_x", scope: "secrets:resolve tokens:write", secret_scopes: ["repo:acme/*"], exp },
  });
  expect(reply.status).toBe(200);
  expect(reply.headers.get("Cache-Control")).toBe("no-store");
  expect(reply.body).toEqual({
    org: "acme",
    sub: "alice",
    token_id: "tok_x",
    permissions: ["secrets:resolve", "tokens:write"],
    secret_scopes: ["repo:acme/*"],
    secret_names: null,
    services: null,
    expires_at: new Date(exp * 1000).toISOString(),
    lease_seconds: 0,
  });
});

it("needs no permission, and leaves out scopes that are other services'", async () => {
  expect((await call("GET /v1/whoami", { token: { scope: "openid admin config_vars:resolve" } })).body.permissions).toEqual(["secrets:resolve"]);
  expect((await call("GET /v1/whoami", { token: { scope: "" } })).body.permissions).toEqual([]);
  expect((await call("GET /v1/whoami")).body.permissions).toEqual([...PERMISSIONS].sort());
});

it("shows of a minted token what the mint showed", async () => {
  const minted = await mint({ label: "ci", secret_names: ["A*"], lease_seconds: 30 });
  const { id, token, permissions, secret_scopes, secret_names, expires_at } = minted as typeof minted & Record<string, unknown>;
  const { body } = await call("GET /v1/whoami", { token });
  expect(body).toMatchObject({ token_id: id, sub: "token:ci", permissions, secret_scopes, secret_names, lease_seconds: 30 });
  expect(Math.abs(Date.parse(body.expires_at) - Date.parse(String(expires_at)))).toBeLessThan(1000);
});

it("is 503 while D1 cannot say whether the token is in force", async () => {
  vi.spyOn(env.DB, "batch").mockRejectedValueOnce(new Error("D1_ERROR: no answer"));
  expect(await call("GET /v1/whoami")).toMatchObject({ status: 503, body: { code: "storage-unavailable" } });
});
