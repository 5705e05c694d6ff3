import { createExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { createClient, KeyholeError } from "../../src/client/create-client.ts";
import { createApp } from "../../src/worker/http/app.ts";
import { sign, type TokenClaims } from "../support/sign.ts";

/** The Worker under test, in the same runtime that Workers and their clients run in. */
const SERVICE = {
  baseUrl: "https://keyhole.test/",
  fetch: ((input, init) => exports.default.fetch(input as string, init as never) as never) as typeof globalThis.fetch,
};

async function clientOf(claims: TokenClaims) {
  return createClient({ ...SERVICE, token: await sign(claims) });
}

async function problemOf(call: Promise<unknown>): Promise<KeyholeError> {
  const error = await call.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(KeyholeError);
  return error as KeyholeError;
}

describe("a client", () => {
  it("sets, lists, reads, resolves, rolls back and deletes", async () => {
    const client = await clientOf({ org: "client-1" });
    expect(await client.secrets.set("namespace:prod", "API_KEY", "one", { labels: { team: "a" } })).toMatchObject({ version: 1, changed: true });
    const { id } = await client.secrets.set("namespace:prod", "API_KEY", new Uint8Array([0, 255]));
    expect(await client.secrets.get("namespace:prod", "API_KEY")).toMatchObject({ id, version: 2, encoding: "base64", labels: { team: "a" } });
    expect((await client.secrets.list({ prefix: "API_" })).secrets.map(({ name }) => name)).toEqual(["API_KEY"]);
    expect(await client.resolveRaw("API_KEY", { scopes: ["namespace:prod"] })).toEqual(new Uint8Array([0, 255]));
    expect(await client.secrets.rollback(id, 1)).toMatchObject({ version: 3 });
    expect((await client.secrets.versions(id)).versions.map(({ version, state }) => [version, state])).toEqual([
      [3, "current"],
      [2, "previous"],
      [1, "previous"],
    ]);
    const request = { scopes: ["namespace:prod"] };
    expect(await client.resolve(request)).toMatchObject({ secrets: { API_KEY: { value: "one", scope: "namespace:prod" } }, missing: [] });
    expect(await client.resolveEnv(request)).toEqual({ API_KEY: "one" });
    expect(await client.resolveDotenv(request)).toBe("API_KEY='one'\n");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 7_200_000 });
    await client.secrets.set("namespace:prod", "OLD", "x", { expires_at: new Date(Date.now() + 3_600_000).toISOString() });
    vi.useRealTimers();
    const leftOut = vi.fn();
    expect(await client.resolveEnv(request, { onLeftOut: leftOut })).toEqual({ API_KEY: "one" });
    expect(leftOut).toHaveBeenCalledExactlyOnceWith([{ name: "OLD", reason: "expired" }], 0);
    expect(await client.resolve(request)).toMatchObject({ expired: ["OLD"] });
    expect(await client.explain("API_KEY", request)).toMatchObject({ winner: { id } });
    await client.secrets.delete("namespace:prod", "API_KEY");
    expect(await problemOf(client.secrets.getById(id))).toMatchObject({ code: "secret-not-found", status: 404 });
  });

  it("writes in the state that an entity tag names only, and says whether an answer is another by now", async () => {
    const client = await clientOf({ org: "client-8" });
    await client.secrets.set("global", "KEY", "one");
    const { secret, etag } = await client.secrets.getTagged("global", "KEY");
    expect(secret).toMatchObject({ version: 1 });
    const request = { scopes: ["global"], names: ["KEY"] };
    const first = await client.resolveIfChanged(request);
    expect(first.reply).toMatchObject({ secrets: { KEY: { value: "one" } } });
    expect(await client.resolveIfChanged(request, { held: first.etag })).toEqual({ etag: first.etag, reply: undefined });
    expect(await client.secrets.set("global", "KEY", "two", {}, { ifMatch: etag })).toMatchObject({ version: 2 });
    expect(await problemOf(client.secrets.set("global", "KEY", "three", {}, { ifMatch: etag }))).toMatchObject({ code: "version-conflict", status: 412 });
    const second = await client.resolveIfChanged(request, { held: first.etag });
    expect(second.reply).toMatchObject({ secrets: { KEY: { value: "two", version: 2 } } });
    expect(second.etag).not.toBe(first.etag);
  });

  it("keeps an answer under the one event that it has, and a revoked token ends it", async () => {
    const org = "client-7";
    const client = await clientOf({ org });
    await client.secrets.set("global", "KEY", "one");
    const { id, token } = await client.tokens.create({ label: "gateway", permissions: ["secrets:resolve", "secrets:read"], expires_in: 600 });
    const gateway = createClient({ ...SERVICE, token, maxAge: 60 });
    const ask = () => gateway.resolve({ names: ["KEY"] });
    const all = await Promise.all(Array.from({ length: 100 }, ask));
    expect(new Set(all.map(({ secrets }) => secrets.KEY?.value))).toEqual(new Set(["one"]));
    expect((await client.audit.list({ action: "secret.resolve" })).events).toMatchObject([{ token_id: id, lease: { id: all[0]?.lease?.id } }]);
    await client.tokens.revoke(id);
    expect((await ask()).secrets.KEY?.value).toBe("one");
    expect(await problemOf(gateway.whoami())).toMatchObject({ code: "unauthenticated" });
    expect(await problemOf(ask())).toMatchObject({ code: "unauthenticated" });
  });

  it("walks through all pages of a list", async () => {
    const client = await clientOf({ org: "client-2" });
    const names = ["A", "B", "C", "D", "E"];
    await client.secrets.import("global", Object.fromEntries(names.map((name) => [name, "x"])));
    const listed: string[] = [];
    for await (const { name } of client.secrets.listAll({ limit: 2 })) listed.push(name);
    expect(listed).toEqual(names);
  });

  it("throws one error with the problem's code, status, request id and members", async () => {
    const client = await clientOf({ org: "client-3" });
    expect(await problemOf(client.resolve({ names: ["NOWHERE"] }))).toMatchObject({
      code: "secret-not-found",
      status: 404,
      requestId: expect.stringMatching(/^req_/),
      members: { missing: ["NOWHERE"], searched: ["global", "builtin"] },
    });
    expect((await problemOf(client.secrets.set("global", "bad name", "x"))).members.errors).toMatchObject([{ pointer: "path:name" }]);
    await client.secrets.create("global", "ONCE", "x");
    expect(await problemOf(client.secrets.create("global", "ONCE", "x"))).toMatchObject({ code: "secret-exists" });
    expect(await problemOf(client.secrets.set("global", "ONCE", "y", {}, { ifNoneMatch: "*" }))).toMatchObject({ code: "version-conflict" });
  });

  it("mints, lists and revokes tokens, puts trusts and scopes, and says who it is", async () => {
    const client = await clientOf({ org: "client-4", sub: "ada" });
    const { id, token } = await client.tokens.create({ label: "ci", permissions: ["secrets:read"], expires_in: 60 });
    expect(token).toMatch(/^eyJ/);
    expect((await client.tokens.list()).tokens.map((one) => one.id)).toEqual([id]);
    await client.tokens.revoke(id);
    const trust = { issuer: "https://issuer.example.com", audience: "keyhole", claims: { sub: "x" }, permissions: ["secrets:read" as const] };
    await client.trusts.put("one", trust);
    expect((await client.trusts.list()).trusts.map(({ name }) => name)).toEqual(["one"]);
    await client.trusts.put("two", trust);
    expect((await Array.fromAsync(client.trusts.listAll())).map(({ name }) => name)).toEqual(["one", "two"]);
    await client.trusts.delete("one");
    const { audience: _, ...said } = trust;
    const login = await client.logins.put("work", { ...said, client_id: "console" });
    expect(await client.logins.get("work")).toEqual(login);
    expect((await client.logins.list()).logins).toEqual(await Array.fromAsync(client.logins.listAll()));
    await client.logins.delete("work");
    expect((await client.logins.list()).logins).toEqual([]);
    await client.scopes.put("repo:a/b", "namespace:prod");
    expect((await client.scopes.list()).scopes).toMatchObject([{ scope: "repo:a/b", parent: "namespace:prod" }]);
    await client.scopes.delete("repo:a/b");
    expect(await client.whoami()).toMatchObject({ org: "client-4", sub: "ada" });
  });

  it("reads the audit log by page and as a stream, has it verified, and shows the keys", async () => {
    const client = await clientOf({ org: "client-5" });
    for (const name of ["A", "B", "C"]) await client.secrets.set("global", name, "x");
    const { events } = await client.audit.list({ limit: 2 });
    expect(events.map(({ secrets }) => secrets[0]?.name)).toEqual(["C", "B"]);
    const streamed: (string | null | undefined)[] = [];
    for await (const { secrets } of client.audit.stream({ action: "secret.create" })) streamed.push(secrets[0]?.name);
    expect(streamed).toEqual(["A", "B", "C"]);
    expect(await client.audit.verify()).toMatchObject({ ok: true, first_bad: null });
    expect((await client.audit.checkpoints()).next_cursor).toBeNull();
    expect((await client.keys.list()).find(({ current }) => current)).toMatchObject({ id: "k1" });
    expect(await client.keys.rewrap()).toEqual({ rewrapped: 0, remaining: 0 });
  });
});

it("a client shows what there is, and the operator's sets what there may be", async () => {
  const bindings = { ...env, PLATFORM_ORG: "client-operator" };
  const fetch = ((input, init) =>
    createApp().fetch(new Request(input as string, init as never) as never, bindings, createExecutionContext())) as typeof globalThis.fetch;
  const of = async (org: string) => createClient({ ...SERVICE, fetch, token: await sign({ org }) });
  const [operator, tenant] = [await of("client-operator"), await of("client-tenant")];
  expect(await operator.quotas.put("client-tenant", { secrets: 5 })).toMatchObject({ org: "client-tenant", own: { secrets: 5 } });
  expect((await operator.quotas.get("client-tenant")).quotas).toMatchObject({ secrets: 5, trusts: 1_000 });
  expect((await tenant.usage()).usage.secrets).toEqual({ used: 0, limit: 5 });
  expect(await problemOf(tenant.quotas.put("client-tenant", {}))).toMatchObject({ code: "forbidden" });
});

describe("resolveRefs", () => {
  it("gives a copy in which each reference is the value, and leaves everything else as it is", async () => {
    const client = await clientOf({ org: "client-6" });
    await client.secrets.import("global", { A: "1", B: "2" });
    const date = new Date(0);
    const config = { list: [{ secret_key_ref: { store: "A" } }, 7, null], deep: { key: { secret_key_ref: { store: "B" } } }, date };
    expect(await client.resolveRefs(config)).toEqual({ list: ["1", 7, null], deep: { key: "2" }, date });
    expect(config.list[0]).toEqual({ secret_key_ref: { store: "A" } });
    expect(await problemOf(client.resolveRefs({ a: { secret_key_ref: { store: "NOWHERE" } } }))).toMatchObject({ code: "secret-not-found" });
  });

  it("replaces a reference beside other keys under a key of its own, in its place, and within a text", async () => {
    const client = await clientOf({ org: "client-6" });
    await client.secrets.import("global", { A: "${keyhole:B}", B: "2" });
    const target = { id: "x", secret_key_ref: { store: "A" }, headers: { Authorization: "Bearer ${keyhole:A} ${keyhole:B}" } };
    expect(JSON.stringify(await client.resolveRefs([target]))).toBe(
      '[{"id":"x","api_key":"${keyhole:B}","headers":{"Authorization":"Bearer ${keyhole:B} 2"}}]',
    );
    expect(await client.resolveRefs(target, { as: "token" })).toMatchObject({ id: "x", token: "${keyhole:B}" });
  });

  it("refuses what begins as a reference and is none", async () => {
    const client = await clientOf({ org: "client-6" });
    for (const bad of [
      { secret_key_ref: "A" },
      { secret_key_ref: { store: 1 } },
      { secret_key_ref: { store: "A", x: 1 } },
      { secret_key_ref: { store: "A B" } },
      { secret_key_ref: { store: "A" }, api_key: 1 },
      "Bearer ${keyhole:A",
      "Bearer ${keyhole:}",
    ])
      await expect(client.resolveRefs({ bad })).rejects.toThrow(TypeError);
  });
});
