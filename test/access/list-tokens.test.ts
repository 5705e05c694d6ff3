import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type CallOptions, call } from "../support/call.ts";
import { mint } from "../support/mint.ts";

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-11-21T12:00:00Z") });
  await env.DB.prepare("DELETE FROM tokens").run();
});
afterEach(() => void vi.useRealTimers());

const list = (query = "", options: CallOptions = {}) => call(`GET /v1/tokens${query}`, options);
const labels = async (options: CallOptions = {}) => (await list("", options)).body.tokens.map(({ label }: { label: string }) => label);

async function mintMany(count: number): Promise<void> {
  // Pairs share a millisecond: the id decides between them.
  for (let n = 0; n < count; n++) {
    vi.setSystemTime(Date.parse("2026-11-21T12:00:00Z") + Math.floor(n / 2));
    await mint({ label: `t${n}` });
  }
}

it("shows what a token is, and never the token", async () => {
  const { id, token } = await mint({ label: "ci", secret_scopes: ["repo:acme/api"] });
  const reply = await list();
  expect(reply.body).toEqual({
    tokens: [
      {
        id,
        label: "ci",
        permissions: ["secrets:read"],
        secret_scopes: ["repo:acme/api"],
        secret_names: null,
        services: null,
        lease_seconds: 0,
        created_at: "2026-11-21T12:00:00.000Z",
        created_by: "tester",
        expires_at: "2026-11-21T13:00:00.000Z",
        revoked_at: null,
      },
    ],
    next_cursor: null,
  });
  expect(reply.text).not.toContain(token.split(".")[2]);
});

it("shows when a token was revoked", async () => {
  const { id } = await mint();
  await call(`DELETE /v1/tokens/${id}`);
  expect((await list()).body.tokens[0].revoked_at).toBe("2026-11-21T12:00:00.000Z");
});

it.each([1, 2, 3, 7, 8])("gives every token once in pages of %i, newest first", async (limit) => {
  await mintMany(7);
  const seen: { id: string; created_at: string }[] = [];
  for (let query = `?limit=${limit}`, cursor: string | null = ""; cursor !== null; query = `?limit=${limit}&cursor=${cursor}`) {
    const { tokens, next_cursor } = (await list(query)).body;
    expect(tokens.length).toBeLessThanOrEqual(limit);
    seen.push(...tokens);
    cursor = next_cursor;
  }
  expect(new Set(seen.map(({ id }) => id)).size).toBe(7);
  expect(seen.map(({ created_at }) => created_at)).toEqual(
    seen
      .map(({ created_at }) => created_at)
      .sort()
      .reverse(),
  );
});

it.each([
  "?limit=0",
  "?limit=201",
  "?limit=x",
  "?cursor=nonsense",
  "?cursor=e30",
  "?cursor=eyJjcmVhdGVkQXQiOiJ4IiwiaWQiOjF9",
  "?unknown=1",
  "?limit=1&limit=2",
])("refuses %s", async (query) => {
  expect(await list(query)).toMatchObject({ status: 400, body: { code: "invalid-request" } });
});

it("needs tokens:write", async () => {
  expect((await list("", { token: { scope: "secrets:read" } })).status).toBe(403);
});

it("shows no other organization's tokens", async () => {
  await mint();
  expect(await labels({ token: { org: "globex" } })).toEqual([]);
});

describe("a caller with limits", () => {
  it("sees the tokens within them and no others", async () => {
    const limits: [string, string[] | undefined, string[] | undefined][] = [
      ["inside", ["repo:acme/api"], ["DEPLOY_KEY"]],
      ["pattern-inside", ["repo:acme/api/*", "repo:acme/web"], ["DEPLOY_*"]],
      ["all-scopes", undefined, ["DEPLOY_*"]],
      ["all-names", ["repo:acme/api"], undefined],
      ["wider", ["repo:acme*"], ["DEPLOY_*"]],
      ["partly", ["repo:acme/api", "global"], ["DEPLOY_*"]],
      ["other-name", ["repo:acme/api"], ["OTHER"]],
    ];
    for (const [label, secret_scopes, secret_names] of limits) await mint({ label, secret_scopes, secret_names });
    const seen = await labels({ token: { secret_scopes: ["repo:acme/*"], secret_names: ["DEPLOY_*"] } });
    expect(seen.sort()).toEqual(["inside", "pattern-inside"]);
    expect(await labels({ token: { secret_scopes: [] } })).toEqual([]);
    expect(await labels()).toHaveLength(limits.length);
  });

  it("may have limits of any length", async () => {
    const scope = `repo:${"a-long-name-".repeat(5)}/${"another-one-".repeat(5)}`;
    await mint({ label: "long", secret_scopes: [scope] });
    expect(await labels({ token: { secret_scopes: [`${scope.slice(0, -1)}*`] } })).toEqual(["long"]);
    expect(await labels({ token: { secret_scopes: [`${scope}x`] } })).toEqual([]);
  });
});
