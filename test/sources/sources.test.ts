import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keepNumbers } from "../../src/contract/keep-numbers.ts";
import { fillCredentials } from "../../src/worker/services/fill-credentials.ts";
import { openPlace as openWorker, type Place as Worker } from "../leases/place.ts";
import { ref } from "../stores/declared.ts";
import { openPlace as openStores, type Place as Stores, VAULT_TOKEN } from "../stores/place.ts";
import type { CallOptions } from "../support/call.ts";
import { eventsOf } from "../support/events-of.ts";
import { sign } from "../support/sign.ts";

const STORE = {
  kind: "vault",
  address: "https://vault.example.org:8200",
  mount: "secret",
  credentials: { token: ref("namespace:ops", "VAULT_TOKEN") },
  allow: [{ scopes: ["namespace:prod", "repo:acme/*"], keys: ["prod/*"] }],
  refresh_seconds: 60,
};
const SOURCE = { store: "vault-prod", key: "prod/database", field: "password" };
const VALUE = "a-password-of-the-database";

let org = "";
let token = "";
let worker: Worker;
let stores: Stores;
beforeEach(async () => {
  org = `sources-${crypto.randomUUID().slice(0, 8)}`;
  token = await sign({ org });
  worker = openWorker();
  stores = openStores();
  stores.vault.now = Date.now;
  stores.vault.data.set("prod/database", [{ username: "app", password: VALUE, port: 5432 }]);
  await done("PUT /v1/scopes/namespace%3Aops/secrets/VAULT_TOKEN", { json: { value: VAULT_TOKEN, hosts: ["vault.example.org"] } });
  await done("PUT /v1/stores/vault-prod", { json: STORE });
});
afterEach(() => void vi.restoreAllMocks());

const call = (request: string, options: CallOptions = {}, at = worker) => at.call(request, { token, ...options });
async function done(request: string, options: CallOptions = {}) {
  const reply = await call(request, options);
  expect([request, reply.status < 300, reply.status < 300 ? "" : reply.text]).toEqual([request, true, ""]);
  return reply;
}
const at = (name: string, scope = "namespace:prod") => `/v1/scopes/${encodeURIComponent(scope)}/secrets/${name}`;
const setSource = (source: object = SOURCE, name = "DB_PASSWORD", scope = "namespace:prod") => call(`PUT ${at(name, scope)}`, { json: { source } });
const resolve = (name = "DB_PASSWORD", options: CallOptions = {}, place = worker) => call(`GET /v1/resolve/${name}?scope=namespace:prod`, options, place);
const reads = () => stores.vault.asked.filter((asked) => asked === "GET secret/data/prod/database").length;

describe("a secret with a source", () => {
  it("is resolved to what its store has, with the store's own version, and says where that comes from and never what", async () => {
    const made = await setSource();
    expect([made.status, made.body]).toMatchObject([201, { version: 1, encoding: "utf8", source: SOURCE }]);
    expect(await resolve()).toMatchObject({ status: 200, body: { value: VALUE, encoding: "utf8", version: 1, store_version: "1", scope: "namespace:prod" } });
    for (const shown of [
      await call(`GET ${at("DB_PASSWORD")}`),
      await call("GET /v1/secrets?name=DB_PASSWORD"),
      await call(`GET /v1/secrets/${made.body.id}`),
    ]) {
      expect(shown.text).toContain(JSON.stringify(SOURCE));
      expect(shown.text).not.toContain(VALUE);
    }
    expect((await call("GET /v1/explain/DB_PASSWORD?scope=namespace:prod")).body.winner).toMatchObject({ scope: "namespace:prod", version: 1 });
    expect((await setSource()).body.changed).toBe(false);
  });

  it("is on record as any other, and so is what the store was asked with", async () => {
    await setSource();
    await resolve();
    const events = (await eventsOf(org)).slice(-2);
    expect(events.map(({ action, target, secrets }) => [action, target, secrets.map(({ name }) => name)])).toEqual([
      ["secret.resolve", null, ["DB_PASSWORD"]],
      ["store.read", "vault-prod#1", ["VAULT_TOKEN"]],
    ]);
  });

  it("is read again after refresh_seconds, or when its store is another one, and until then given as it was", async () => {
    await setSource();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    try {
      await resolve();
      stores.vault.data.set("prod/database", [{ password: VALUE }, { password: "another-password" }]);
      vi.setSystemTime(Date.now() + 59_000);
      expect((await resolve()).body).toMatchObject({ value: VALUE, store_version: "1" });
      expect(reads()).toBe(1);
      vi.setSystemTime(Date.now() + 2_000);
      expect((await resolve()).body).toMatchObject({ value: "another-password", store_version: "2", version: 1 });
      stores.vault.data.set("prod/database", [{ password: "a-third-password" }]);
      await done("PUT /v1/stores/vault-prod", { json: { ...STORE, refresh_seconds: 30 } });
      expect((await resolve()).body).toMatchObject({ value: "a-third-password" });
    } finally {
      vi.useRealTimers();
    }
  });

  it("has an entity tag that is another one with each version of the store", async () => {
    await setSource();
    const first = await resolve();
    const tag = { headers: { "If-None-Match": first.headers.get("ETag") ?? "" } };
    expect((await resolve("DB_PASSWORD", tag)).status).toBe(304);
    stores.vault.data.set("prod/database", [{ password: VALUE }, { password: "another-password" }]);
    const elsewhere = openWorker();
    const second = await resolve("DB_PASSWORD", tag, elsewhere);
    expect([second.status, second.body.value]).toEqual([200, "another-password"]);
    expect(second.headers.get("ETag")).not.toBe(first.headers.get("ETag"));
  });

  it("has another entity tag where its store has another value under the same version", async () => {
    await setSource();
    const first = await resolve();
    const tag = { headers: { "If-None-Match": first.headers.get("ETag") ?? "" } };
    stores.vault.data.set("prod/database", [{ password: "of-a-key-that-was-made-anew" }]);
    const second = await resolve("DB_PASSWORD", tag, openWorker());
    expect([second.status, second.body.value, second.body.store_version]).toEqual([200, "of-a-key-that-was-made-anew", first.body.store_version]);
    expect((await resolve("DB_PASSWORD", { headers: { "If-None-Match": '*, "x"' } })).status).toBe(400);
    expect((await resolve("DB_PASSWORD", { headers: { "If-None-Match": "*" } })).status).toBe(200);
  });

  it("has the version that it names, a field that is no text as JSON, and all of it without a field", async () => {
    stores.vault.data.set("prod/database", [{ password: "of-before" }, { password: VALUE, options: { ssl: true } }]);
    stores.vault.data.set("prod/numbers", [JSON.parse('{"id": 12345678901234567890, "rate": 1.0}', keepNumbers)]);
    for (const [source, value] of [
      [{ ...SOURCE, version: "1" }, "of-before"],
      [{ ...SOURCE, field: "options" }, '{"ssl":true}'],
      [{ ...SOURCE, key: "prod/numbers", field: "id" }, "12345678901234567890"],
      [{ store: "vault-prod", key: "prod/numbers" }, '{"id":12345678901234567890,"rate":1.0}'],
      [{ store: "vault-prod", key: "prod/database" }, JSON.stringify({ password: VALUE, options: { ssl: true } })],
    ] as const) {
      await setSource(source);
      expect((await resolve()).body.value).toBe(value);
    }
  });

  it("becomes one with a value of its own by a write, and comes back by a rollback", async () => {
    const { body } = await setSource();
    await done(`PUT ${at("DB_PASSWORD")}`, { json: { value: "of its own" } });
    expect((await resolve()).body).toMatchObject({ value: "of its own", version: 2 });
    expect((await call(`GET ${at("DB_PASSWORD")}`)).body.source).toBeNull();
    expect((await done(`POST /v1/secrets/${body.id}/rollback`, { json: { version: 1 } })).body).toMatchObject({ version: 3, source: SOURCE });
    expect((await resolve()).body.value).toBe(VALUE);
    const kept = (await env.DB.prepare("SELECT group_concat(quote(ciphertext)) AS all_of FROM versions").first<string>("all_of")) ?? "";
    expect(kept).not.toContain("prod/database");
  });

  describe("under a lease", () => {
    const leased = (options: CallOptions = {}) => resolve("DB_PASSWORD", { ...options, headers: { "Cache-Control": "max-age=50", ...options.headers } });
    const opened = async () => (await eventsOf(org)).filter(({ action }) => action === "secret.resolve").length;
    beforeEach(async () => {
      await setSource();
      vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: Date.now() });
    });
    afterEach(() => vi.useRealTimers());

    it("is given again without its store, D1 or KV, and is on record once", async () => {
      const first = await leased();
      expect([first.body.value, first.body.store_version, first.body.lease.expires_in, first.headers.get("Age")]).toEqual([VALUE, "1", 50, "0"]);
      stores.vault.data.set("prod/database", [{ password: "another-password" }]);
      vi.setSystemTime(Date.now() + 3_000);
      const second = await leased();
      expect([second.body.value, second.body.store_version, second.headers.get("ETag")]).toEqual([VALUE, "1", first.headers.get("ETag")]);
      expect([second.body.lease.id, second.body.lease.expires_in, second.headers.get("Age")]).toEqual([first.body.lease.id, 47, "3"]);
      expect((await leased({ headers: { "If-None-Match": first.headers.get("ETag") ?? "" } })).status).toBe(304);
      expect([await opened(), reads()]).toEqual([1, 1]);
    });

    it("ends with the copy of the store's value, and so does what a client is told", async () => {
      await resolve();
      stores.vault.data.set("prod/database", [{ password: VALUE }, { password: "another-password" }]);
      vi.setSystemTime(Date.now() + 55_000);
      expect((await leased()).body).toMatchObject({ value: VALUE, lease: { expires_in: 5 } });
      vi.setSystemTime(Date.now() + 4_000);
      expect((await leased()).body).toMatchObject({ value: VALUE, lease: { expires_in: 1 } });
      expect(await opened()).toBe(2);
      vi.setSystemTime(Date.now() + 2_000);
      expect((await leased()).body).toMatchObject({ value: "another-password", store_version: "2", lease: { expires_in: 50 } });
    });

    it("has none where the store is away, or nothing of it is kept", async () => {
      // The store is asked again after pauses.
      vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: Date.now(), shouldAdvanceTime: true });
      for (const [change, failure] of [
        [{ refresh_seconds: 1, stale_seconds: 600 }, 503],
        [{ refresh_seconds: 0 }, undefined],
      ] as const) {
        await done("PUT /v1/stores/vault-prod", { json: { ...STORE, ...change } });
        await resolve();
        vi.setSystemTime(Date.now() + 6_000);
        if (failure !== undefined) stores.network.next.push(...Array(4).fill(async () => new Response("", { status: failure })));
        const { body, headers } = await leased();
        expect([body.value, body.lease, headers.get("Age")]).toEqual([VALUE, undefined, null]);
      }
    });

    it("is given again to a client of Vault, and for uses of a service", async () => {
      await done(`PUT ${at("DB_PASSWORD")}`, { json: { source: SOURCE, hosts: ["api.example.com"] } });
      const service = {
        origin: "https://api.example.com",
        scopes: ["namespace:prod"],
        inject: [{ in: "header", name: "X-Key", value: "${DB_PASSWORD}" }],
        allow: [{ methods: ["GET"], paths: ["/**"] }],
      };
      await done("PUT /v1/services/api", { json: service });
      const vault = { headers: { "Cache-Control": "max-age=60" } };
      const seen: (string | null)[] = [];
      const use = async () => {
        stores.network.next.push(async ({ headers }) => {
          seen.push(headers.get("X-Key"));
          return new Response("ok");
        });
        expect((await call("GET /use/api/x")).text).toBe("ok");
      };
      // The service's use comes first: the store is asked then, and by nobody after that.
      stores.network.next.push(stores.vault.handle);
      await use();
      const before = { ...worker.asked };
      await use();
      expect([seen, worker.asked]).toEqual([[VALUE, VALUE], before]);
      expect((await done("GET /v1/secret/data/namespace/prod", vault)).body.data.data).toEqual({ DB_PASSWORD: VALUE });
      const again = { ...worker.asked };
      expect((await done("GET /v1/secret/data/namespace/prod", vault)).headers.get("Age")).toBe("0");
      expect([worker.asked, reads()]).toEqual([again, 1]);
      stores.vault.data.set("prod/database", [{ password: "another-password" }]);
      vi.setSystemTime(Date.now() + 61_000);
      stores.network.next.push(stores.vault.handle);
      await use();
      expect(seen[2]).toBe("another-password");
      expect((await done("GET /v1/secret/data/namespace/prod", vault)).body.data.data).toEqual({ DB_PASSWORD: "another-password" });
    });

    it("ends within STALE_SECONDS of a change of the store", async () => {
      await leased();
      const { status } = await call(
        "PUT /v1/stores/vault-prod",
        { json: { ...STORE, allow: [{ scopes: ["namespace:prod"], keys: ["other/*"] }] } },
        openWorker(),
      );
      expect(status).toBe(200);
      expect((await leased()).body.value).toBe(VALUE);
      vi.setSystemTime(Date.now() + 5_001);
      expect(await leased()).toMatchObject({ status: 503, body: { code: "store-unavailable" } });
    });
  });

  it("is read by a client of Vault, as a variable, and with others in one answer", async () => {
    await setSource();
    await done(`PUT ${at("OTHER")}`, { json: { value: "kept here" } });
    const all = await done("POST /v1/resolve?format=env", { json: { scopes: ["namespace:prod"] } });
    expect(all.body).toEqual({ DB_PASSWORD: VALUE, OTHER: "kept here" });
    const vault = await done("GET /v1/secret/data/namespace/prod");
    expect(vault.body.data.data).toEqual({ DB_PASSWORD: VALUE, OTHER: "kept here" });
    const numberOf = async (place = worker) => (await call("GET /v1/env/data/namespace/prod", {}, place)).body.data.metadata.version;
    const before = await numberOf();
    expect(await numberOf()).toBe(before);
    stores.vault.data.set("prod/database", [{ password: "another-password" }]);
    expect(await numberOf(openWorker())).not.toBe(before);
  });
});

describe("an object that a client of Vault reads, changes and writes again", () => {
  const OBJECT = "/v1/secret/data/namespace/prod";
  const put = (data: object, options: CallOptions = {}) => call(`POST ${OBJECT}`, { json: { data }, ...options });
  const read = async () => (await done(`GET ${OBJECT}`)).body.data.data;
  const sourceOf = async (name = "DB_PASSWORD") => (await done(`GET ${at(name)}`)).body;

  it("keeps the source of what is given the value of its store, by one look there, also one that is no text", async () => {
    stores.vault.data.set("prod/key", [{ value: btoa("\xff\x00"), encoding: "base64" }]);
    await setSource();
    await setSource({ store: "vault-prod", key: "prod/key" } as typeof SOURCE, "BINARY");
    await done(`PUT ${at("OTHER")}`, { json: { value: "kept here" } });
    const given = { ...(await read()), OTHER: "changed" };
    expect(given).toEqual({ DB_PASSWORD: VALUE, BINARY: btoa("\xff\x00"), OTHER: "changed" });
    worker = openWorker();
    const before = (await eventsOf(org)).filter(({ action }) => action === "store.read").length;
    expect((await put(given)).status).toBe(200);
    expect((await eventsOf(org)).filter(({ action }) => action === "store.read")).toHaveLength(before + 1);
    for (const name of ["DB_PASSWORD", "BINARY"]) expect(await sourceOf(name)).toMatchObject({ version: 1, source: { store: "vault-prod" } });
    stores.vault.data.set("prod/database", [{ password: "rotated there" }]);
    worker = openWorker();
    expect(await read()).toEqual({ ...given, DB_PASSWORD: "rotated there" });
  });

  it("is refused where it has another value for such a key, and that is on record and never said with a value", async () => {
    await setSource();
    await done(`PUT ${at("OTHER")}`, { json: { value: "kept here" } });
    for (const DB_PASSWORD of ["an-earlier-password", 5, { password: VALUE }]) {
      const refused = await put({ DB_PASSWORD, OTHER: "changed" });
      expect([refused.status, refused.text]).toEqual([400, expect.stringContaining("/data/DB_PASSWORD")]);
      expect(refused.text).not.toContain(VALUE);
    }
    expect((await eventsOf(org)).at(-1)).toMatchObject({ outcome: "denied", secrets: [{ name: "DB_PASSWORD" }] });
    expect(await read()).toEqual({ DB_PASSWORD: VALUE, OTHER: "kept here" });
    expect(await sourceOf()).toMatchObject({ version: 1, source: SOURCE });
  });

  it("is not written while the store does not say, or may not be asked any more", async () => {
    await setSource();
    await done("PUT /v1/stores/vault-prod", { json: { ...STORE, allow: [] } });
    const refused = await put({ DB_PASSWORD: VALUE });
    expect([refused.status, refused.body.errors]).toEqual([503, [expect.stringContaining("vault-prod")]]);
    expect(await sourceOf()).toMatchObject({ version: 1, source: SOURCE });
  });

  it("loses the source where it is told so: a patch of the key gives it a value of its own, and merges nothing into the store's", async () => {
    stores.vault.data.set("prod/config", [{ password: VALUE, port: 5432 }]);
    await setSource();
    await setSource({ store: "vault-prod", key: "prod/config" } as typeof SOURCE, "CONFIG");
    const patch = (data: object) => call(`PATCH ${OBJECT}`, { json: { data }, headers: { "Content-Type": "application/merge-patch+json" } });
    const merged = await patch({ CONFIG: { port: 6000 } });
    expect([merged.status, merged.text]).toEqual([400, expect.stringContaining("CONFIG")]);
    expect(await sourceOf("CONFIG")).toMatchObject({ version: 1, source: { key: "prod/config" } });
    expect((await patch({ DB_PASSWORD: "its own", CONFIG: null })).status).toBe(200);
    expect(await read()).toEqual({ DB_PASSWORD: "its own" });
  });
});

describe("a source is refused", () => {
  it.each([
    ["of a key that the store does not let the scope have", { ...SOURCE, key: "other/database" }, "namespace:prod"],
    ["in a scope that the store lets have none", SOURCE, "namespace:staging"],
    ["of a store that is not there", { ...SOURCE, store: "elsewhere" }, "namespace:prod"],
    ["with a key that leads elsewhere", { ...SOURCE, key: "prod/../other/database" }, "namespace:prod"],
    ["with a key that is encoded", { ...SOURCE, key: "prod/%2e%2e/other" }, "namespace:prod"],
  ])("%s", async (_, source, scope) => {
    const reply = await setSource(source, "DB_PASSWORD", scope);
    expect([reply.status, reply.body.code]).toEqual([400, "invalid-request"]);
    expect(stores.vault.asked).toEqual([]);
  });

  it("beside a value, beside an encoding, or without either", async () => {
    for (const json of [{ source: SOURCE, value: "x" }, { source: SOURCE, encoding: "base64" }, {}])
      expect((await call(`PUT ${at("DB_PASSWORD")}`, { json })).status).toBe(400);
  });

  it("of another organization's store, also under the same name", async () => {
    const other = await sign({ org: `${org}-b` });
    expect((await call(`PUT ${at("DB_PASSWORD")}`, { token: other, json: { source: SOURCE } })).status).toBe(400);
  });

  it("as a store's credential", async () => {
    await done(`PUT ${at("TOKEN")}`, { json: { source: SOURCE, hosts: ["vault.example.org"] } });
    const json = { ...STORE, credentials: { token: ref("namespace:prod", "TOKEN") } };
    expect((await call("PUT /v1/stores/second", { json })).body.code).toBe("source-cycle");
    // One that has its value from a store only later is not used either.
    await setSource();
    await done(`PUT ${at("VAULT_TOKEN", "namespace:prod")}`, { json: { value: VAULT_TOKEN, hosts: ["vault.example.org"] } });
    await done("PUT /v1/stores/second", { json: { ...STORE, credentials: { token: ref("namespace:prod", "VAULT_TOKEN") } } });
    await done(`PUT ${at("THIRD")}`, { json: { source: { ...SOURCE, store: "second" } } });
    await done(`PUT ${at("VAULT_TOKEN", "namespace:prod")}`, { json: { source: SOURCE, hosts: ["vault.example.org"] } });
    expect(await resolve("THIRD")).toMatchObject({ status: 503, body: { code: "store-unavailable" } });
  });
});

describe("a value that a store does not give", () => {
  const unavailable = async (reply = resolve()) => {
    const { status, body, headers } = await reply;
    expect([status, body.code, body.unavailable]).toEqual([503, "store-unavailable", [{ name: "DB_PASSWORD", reason: "store-unavailable" }]]);
    expect(headers.get("Retry-After")).not.toBeNull();
    return body.detail as string;
  };

  it("refuses whoever needs it, and is on record as not given; others leave it out and are told", async () => {
    await setSource();
    await done(`PUT ${at("OTHER")}`, { json: { value: "kept here" } });
    stores.vault.denied.add("secret/data/prod/database");
    expect(await unavailable()).not.toContain("permission denied");
    expect((await eventsOf(org)).filter(({ outcome }) => outcome === "failed")).toMatchObject([
      { action: "secret.resolve", secrets: [{ name: "DB_PASSWORD" }] },
    ]);
    const { body } = await done("POST /v1/resolve", { json: { scopes: ["namespace:prod"] } });
    expect([Object.keys(body.secrets), body.unavailable]).toEqual([["OTHER"], [{ name: "DB_PASSWORD", reason: "store-unavailable" }]]);
  });

  it.each([
    ["a key that is gone", () => stores.vault.data.delete("prod/database")],
    ["a field that is gone", () => stores.vault.data.set("prod/database", [{ user: "x" }])],
    ["a credential that is known no more", () => stores.vault.tokens.clear()],
    ["one that is nested without end", () => stores.vault.data.set("prod/database", [{ password: JSON.parse("[".repeat(5_000) + "]".repeat(5_000)) }])],
    ["an empty value", () => stores.vault.data.set("prod/database", [{ password: "" }])],
    ["one that is too large", () => stores.vault.data.set("prod/database", [{ password: "x".repeat(65_537) }])],
  ])("is %s", async (_, change) => {
    await setSource();
    change();
    await unavailable();
  });

  it("is one that the store's definition does not let the scope have any more", async () => {
    await setSource();
    expect((await resolve()).status).toBe(200);
    await done("PUT /v1/stores/vault-prod", { json: { ...STORE, allow: [] } });
    const before = reads();
    await unavailable();
    await done("DELETE /v1/stores/vault-prod");
    await unavailable();
    expect(reads()).toBe(before);
  });

  it("is on record as not given once, however many need it, and so is a credential that may not go to the store", async () => {
    for (let n = 0; n < 8; n++) await setSource(SOURCE, `DB_${n}`);
    await done(`PUT ${at("VAULT_TOKEN", "namespace:ops")}`, { json: { value: VAULT_TOKEN, hosts: [] } });
    await done("POST /v1/resolve", { json: { scopes: ["namespace:prod"] } });
    const failed = (await eventsOf(org)).filter(({ outcome }) => outcome === "failed");
    expect(failed.map(({ action, secrets }) => [action, secrets.length])).toEqual([
      ["store.read", 1],
      ["secret.resolve", 8],
    ]);
    expect(stores.vault.asked).toEqual([]);
  });

  it("is not waited for again in a call in which its store did not answer", async () => {
    for (let n = 0; n < 14; n++) await setSource({ ...SOURCE, key: `prod/${n}` }, `DB_${n}`);
    let asked = 0;
    stores.network.next.push(
      ...Array.from({ length: 60 }, () => async () => {
        asked++;
        throw new DOMException("", "TimeoutError");
      }),
    );
    const { body } = await done("POST /v1/resolve", { json: { scopes: ["namespace:prod"] } });
    expect([body.unavailable.length, asked]).toEqual([14, 6]);
  });

  it("is asked for no more when an answer is full", async () => {
    for (let n = 0; n < 72; n++) {
      stores.vault.data.set(`prod/${n}`, [{ value: "x".repeat(65_000) }]);
      await setSource({ store: "vault-prod", key: `prod/${n}` } as never, `DB_${n}`);
    }
    const reply = await call("POST /v1/resolve", { json: { scopes: ["namespace:prod"] } });
    expect([reply.body.code, stores.vault.asked.length]).toEqual(["answer-too-large", 66]);
  });

  it("is given for stale_seconds after it was read, if the store only does not answer", async () => {
    await done("PUT /v1/stores/vault-prod", { json: { ...STORE, refresh_seconds: 10, stale_seconds: 100 } });
    await setSource();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    try {
      await resolve();
      vi.setSystemTime(Date.now() + 50_000);
      const gone = async () => {
        throw new TypeError("nobody is there");
      };
      stores.network.next.push(...Array.from({ length: 4 }, () => gone));
      expect((await resolve()).body.value).toBe(VALUE);
      stores.network.next.length = 0;
      stores.vault.denied.add("secret/data/prod/database");
      await unavailable();
      stores.network.next.push(...Array.from({ length: 4 }, () => gone));
      await unavailable();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("where a value that comes from a store may go", () => {
  const hosts = async () => (await call(`GET ${at("DB_PASSWORD")}`)).body.hosts;
  const writing = async (json: object) => {
    const writer = await sign({ org, scope: "secrets:write secrets:use" });
    return (await call(`PUT ${at("DB_PASSWORD")}`, { token: writer, json })).status;
  };

  it("is said by whoever may read it: who only names the place brings no value", async () => {
    expect(await writing({ source: SOURCE, hosts: ["attacker.example.com"] })).toBe(403);
    expect(await writing({ source: SOURCE, hosts: ["api.openai.com"] })).toBe(201);
    expect(await writing({ source: SOURCE, hosts: ["attacker.example.com"] })).toBe(403);
    expect(await writing({ source: { ...SOURCE, field: "username" }, hosts: ["attacker.example.com"] })).toBe(403);
    expect(await hosts()).toEqual(["api.openai.com"]);
    await done(`PUT ${at("DB_PASSWORD")}`, { json: { source: SOURCE, hosts: ["db.example.com"] } });
    expect(await hosts()).toEqual(["db.example.com"]);
  });

  it("is not what was said of another value or another place, where a writer changes that", async () => {
    await done(`PUT ${at("DB_PASSWORD")}`, { json: { source: SOURCE, hosts: ["db.example.com", "api.openai.com"] } });
    expect(await writing({ source: { ...SOURCE, field: "username" } })).toBe(200);
    expect(await hosts()).toEqual(["api.openai.com"]);
    // A host that a writer brought with a value of his own is not for what comes from a store.
    expect(await writing({ value: "of my own", hosts: ["attacker.example.com"] })).toBe(200);
    const { id } = (await call(`GET ${at("DB_PASSWORD")}`)).body;
    const writer = await sign({ org, scope: "secrets:write" });
    expect((await call(`POST /v1/secrets/${id}/rollback`, { token: writer, json: { version: 1 } })).status).toBe(200);
    expect([await hosts(), (await resolve()).body.value]).toEqual([[], VALUE]);
  });

  it("is not what a writer brought with a value of his own, where somebody else names the place, who may read", async () => {
    await setSource();
    const { id } = (await call(`GET ${at("DB_PASSWORD")}`)).body;
    const trap = () => writing({ value: crypto.randomUUID(), hosts: ["attacker.example.com", "api.openai.com"] });
    for (const bring of [() => setSource(), () => call(`POST /v1/secrets/${id}/rollback`, { json: { version: 1 } })]) {
      expect(await trap()).toBe(200);
      expect((await bring()).status).toBe(200);
      expect([await hosts(), (await resolve()).body.value]).toEqual([["api.openai.com"], VALUE]);
    }
  });
});

it("another value under the same version is another client at a token endpoint", () => {
  const inject = [
    { in: "oauth2" as const, token_url: "https://login.example.com/token", client_id: "me", client_secret: "${SECRET}" },
  ] as unknown as Parameters<typeof fillCredentials>[0];
  const secret = { name: "SECRET", scope: "global", id: "sec_1", version: 1, setAt: 0, encoding: "utf8", storeVersion: "1" } as unknown as Parameters<
    typeof fillCredentials
  >[1][number];
  const versions = ["one", "two"].map((mark) => fillCredentials(inject, [{ ...secret, bytes: new TextEncoder().encode(VALUE), mark }]).client?.versions);
  expect(versions[0]).not.toEqual(versions[1]);
});

it("many at once ask the store once", async () => {
  await setSource();
  const replies = await Promise.all(Array.from({ length: 6 }, () => resolve()));
  expect(replies.map(({ body }) => body.value)).toEqual(Array(6).fill(VALUE));
  expect(reads()).toBe(1);
});
