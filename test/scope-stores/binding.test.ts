import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sealByHand } from "../support/seal-by-hand.ts";
import type { TokenClaims } from "../support/sign.ts";
import { at, type Bench, interceptNetwork, openBench, PREFIX, SCOPE } from "./place.ts";

let bench: Bench;
beforeEach(async () => {
  bench = await openBench("vault");
});
afterEach(() => void vi.restoreAllMocks());
const put = (json: object, scope = SCOPE, token: TokenClaims = { org: bench.org }) =>
  bench.call(`PUT /v1/scopes/${encodeURIComponent(scope)}`, { json, token });

describe("a scope", () => {
  it("is put into a store that lets it have all keys with the prefix, and is shown so", async () => {
    expect((await bench.bind()).body).toEqual({ scope: SCOPE, parent: null, secrets: 0, store: "outside", prefix: PREFIX });
    expect((await bench.call("GET /v1/scopes")).body.scopes).toEqual([
      { scope: "namespace:ops", parent: null, secrets: 4, store: null, prefix: null },
      { scope: SCOPE, parent: null, secrets: 0, store: "outside", prefix: PREFIX },
    ]);
    for (const [store, prefix, scope] of [
      ["outside", "other/", SCOPE],
      ["outside", "prod", SCOPE],
      ["outside", "prod//", SCOPE],
      ["outside", "prod/../", SCOPE],
      ["outside", PREFIX, "namespace:other"],
      ["nowhere", PREFIX, SCOPE],
    ] as const)
      expect([prefix, scope, (await put({ store, prefix }, scope)).body.code]).toEqual([prefix, scope, "invalid-request"]);
    for (const json of [{}, { store: "outside" }, { prefix: PREFIX }, { parent: "team:a", store: "outside", prefix: PREFIX }, { store: null, prefix: "a" }])
      expect([json, (await put(json)).status]).toEqual([json, 400]);
  });

  it("is put there by whoever may write all of it", async () => {
    for (const claims of [{ scope: "secrets:read" }, { secret_scopes: ["namespace:other"] }, { secret_names: ["A*"] }])
      expect([claims, (await put({ store: "outside", prefix: PREFIX }, SCOPE, { org: bench.org, ...claims })).status]).toEqual([claims, 403]);
    expect((await put({ store: "outside", prefix: PREFIX }, SCOPE, { org: bench.org, scope: "secrets:write", secret_scopes: [SCOPE] })).status).toBe(200);
    expect((await bench.call(`PUT ${at("KEY")}`, { json: { value: "x" }, token: { org: bench.org, scope: "secrets:write" } })).status).toBe(201);
    const narrow = { org: bench.org, scope: "secrets:write", secret_names: ["OTHER"] };
    expect((await bench.call(`PUT ${at("KEY")}`, { json: { value: "y" }, token: narrow })).status).toBe(403);
    expect(await bench.inStore("KEY")).toBe("x");
  });

  it("is in one store, with keys that begin like those of no other scope", async () => {
    await bench.bind();
    for (const prefix of [PREFIX, "prod/app/x/", "prod/"])
      expect([prefix, (await bench.bind(prefix, "repo:acme/shop")).body.code]).toEqual([prefix, "store-in-use"]);
    expect((await bench.bind("prod/shop/", "repo:acme/shop")).status).toBe(200);
    expect((await bench.bind("prod/shop/x/")).body.code).toBe("store-in-use");
    expect((await bench.bind("prod/app/x/")).status).toBe(200);
    expect((await bench.call("DELETE /v1/stores/outside")).body.code).toBe("store-in-use");
    await bench.done(`PUT /v1/scopes/${SCOPE}`, { json: { store: null } });
    await bench.done("PUT /v1/scopes/repo%3Aacme%2Fshop", { json: { store: null } });
    expect((await put({ store: null })).body.code).toBe("scope-not-found");
    expect((await bench.call("DELETE /v1/stores/outside")).status).toBe(204);
  });

  it("with a store's credentials is in no store, and none has its credentials in one that is", async () => {
    await bench.define({ allow: [{ scopes: ["namespace:*"], keys: ["prod/*"] }] });
    expect((await bench.bind(PREFIX, "namespace:ops")).body.code).toBe("source-cycle");
    await bench.done(`PUT ${at("TOKEN")}`, { json: { value: "x", hosts: ["vault.example.org"] } });
    await bench.bind();
    const definition = {
      kind: "vault",
      address: "https://vault.example.org",
      mount: "secret",
      credentials: { token: { secret_key_ref: { scope: SCOPE, store: "TOKEN" } } },
    };
    expect((await bench.call("PUT /v1/stores/second", { json: definition })).body.code).toBe("source-cycle");
  });

  it("keeps what it had where that is, until it is written again", async () => {
    await bench.done(`PUT ${at("OWN")}`, { json: { value: "of its own" } });
    await bench.bind();
    expect([await bench.value("OWN"), await bench.inStore("OWN")]).toEqual(["of its own", undefined]);
    expect((await bench.call(`PATCH /v1/secrets/${(await bench.call(`GET ${at("OWN")}`)).body.id}`, { json: { description: "told" } })).status).toBe(200);
    expect((await bench.set("OWN", "of its own")).body).toMatchObject({ version: 2, source: { key: `${PREFIX}OWN` } });
    expect(await bench.inStore("OWN")).toBe("of its own");
    const { id } = (await bench.call(`GET ${at("OWN")}`)).body;
    await bench.set("OWN", "another");
    await bench.done(`POST /v1/secrets/${id}/rollback`, { json: { version: 1 } });
    expect(await bench.inStore("OWN")).toBe("of its own");
  });

  it("has its secrets from the store as before when it is taken out, and keeps here what is written then", async () => {
    await bench.bind();
    const { body } = await bench.set("KEY", "one");
    await bench.set("KEY", "two");
    await bench.done(`PUT /v1/scopes/${SCOPE}`, { json: { store: null } });
    expect((await bench.call("GET /v1/scopes")).body.scopes).toContainEqual({ scope: SCOPE, parent: null, secrets: 1, store: null, prefix: null });
    expect(await bench.value("KEY")).toBe("two");
    // What was written there is the version of then.
    const back = await bench.done(`POST /v1/secrets/${body.id}/rollback`, { json: { version: 1 } });
    expect([back.body.source, await bench.value("KEY"), await bench.inStore("KEY")]).toEqual([
      { store: "outside", key: `${PREFIX}KEY`, version: "1" },
      "one",
      "two",
    ]);
    expect((await bench.set("KEY", "here")).body).toMatchObject({ version: 4, source: null });
    expect([await bench.value("KEY"), await bench.inStore("KEY")]).toEqual(["here", "two"]);
    expect((await bench.call(`DELETE ${at("KEY")}`)).status).toBe(204);
    expect(await bench.inStore("KEY")).toBe("two");
  });

  it("goes back to what was written where the store is still the same place, and to nothing of another one", async () => {
    await bench.bind();
    const { id } = (await bench.set("KEY", "one")).body;
    await bench.set("KEY", "two");
    const back = () => bench.call(`POST /v1/secrets/${id}/rollback`, { json: { version: 1 } });
    const elsewhere = { address: "https://vault.example.org" };
    interceptNetwork((request, send) => (new URL(request.url).host === "vault.example.org" ? bench.stores.vault.handle(request) : send()));
    // A place of another address has versions of these numbers, too, and they are others.
    await bench.define(elsewhere);
    expect((await back()).body.code).toBe("version-not-found");
    await bench.done(`PUT /v1/scopes/${SCOPE}`, { json: { store: null } });
    expect((await back()).body.code).toBe("version-not-found");
    await bench.bind();
    // What else the store's definition says does not matter.
    await bench.define({ refresh_seconds: 5 });
    expect([(await back()).status, await bench.inStore("KEY")]).toEqual([200, "one"]);
  });

  it("is put into a store that takes writes, and into no other; what was in one before there was this stays there", async () => {
    await bench.define({ write: false });
    const refused = await bench.bind();
    expect([refused.status, refused.body.code, refused.body.detail]).toEqual([422, "store-refused", expect.stringContaining('"write": true')]);
    await bench.define({ write: undefined });
    expect((await bench.bind()).body.code).toBe("store-refused");
    await bench.define();
    await bench.bind();
    await bench.set("KEY", "one");
    // As a definition of before has it.
    await env.DB.prepare("UPDATE stores SET definition = json_remove(definition, '$.write') WHERE org = ?").bind(bench.org).run();
    await sealByHand("stores", `org = '${bench.org}'`);
    expect((await bench.set("KEY", "two")).status).toBe(200);
    expect((await bench.bind("prod/else/")).body.code).toBe("store-refused");
    // Whoever makes the store may end it at once: what is there is read as before.
    await bench.define({ write: false });
    for (const reply of [await bench.set("KEY", "three"), await bench.call(`DELETE ${at("KEY")}`)])
      expect([reply.status, reply.body.code, reply.body.detail]).toEqual([422, "store-refused", expect.stringContaining("takes no writes")]);
    expect([await bench.value("KEY"), await bench.inStore("KEY")]).toEqual(["two", "two"]);
    expect((await bench.call(`POST /v1/scopes/${SCOPE}/sync`, { json: {} })).status).toBe(200);
  });

  it("is one of a thousand in stores at the most, also when two come at once", async () => {
    await bench.define({ allow: [{ scopes: ["*"], keys: ["prod/*"] }] });
    await env.DB.prepare(
      `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 999)
       INSERT INTO scope_stores (org, scope, store, prefix, updated_at, updated_by) SELECT ?1, 'team:t' || CAST(n AS INTEGER), 'other', '', 1, 'x' FROM n`,
    )
      .bind(bench.org)
      .run();
    const replies = await Promise.all(["repo:acme/a", "repo:acme/b", "repo:acme/c"].map((scope) => bench.bind(`prod/${scope.at(-1)}/`, scope)));
    expect(replies.map(({ status, body }) => [status, body.code]).sort()).toEqual([
      [200, undefined],
      [422, "quota-exceeded"],
      [422, "quota-exceeded"],
    ]);
  });

  it("deletes here alone what has its value from elsewhere, or of its own", async () => {
    await bench.done(`PUT ${at("OWN")}`, { json: { value: "of its own" } });
    await bench.bind();
    await bench.writeInStore("prod/elsewhere", "other");
    await bench.done(`PUT ${at("PLACE")}`, { json: { source: { store: "outside", key: "prod/elsewhere" } } });
    expect(await bench.value("PLACE")).toBe("other");
    for (const name of ["OWN", "PLACE"]) expect((await bench.call(`DELETE ${at(name)}`)).status).toBe(204);
    expect(bench.stores.vault.data.get("prod/elsewhere")?.at(-1)).not.toBeNull();
  });

  it("has nothing of a store that lets it have its keys no more, neither read nor written", async () => {
    await bench.bind();
    await bench.set("KEY", "one");
    await bench.define({ allow: [{ scopes: [SCOPE], keys: ["prod/app/OTHER"] }] });
    expect((await bench.call(`GET /v1/resolve/KEY?scope=${SCOPE}`)).body.code).toBe("store-unavailable");
    expect((await bench.set("KEY", "two")).body.code).toBe("store-refused");
    expect((await bench.set("OTHER", "two")).status).toBe(201);
    expect((await bench.call(`DELETE ${at("KEY")}`)).body.code).toBe("store-refused");
    expect(bench.stores.vault.data.get(`${PREFIX}KEY`)?.length).toBe(1);
  });

  it("refuses writes of fronts that know no stores, and keeps nothing of them", async () => {
    await bench.bind();
    const written = await bench.call("POST /v1/secret/data/namespace/prod", { json: { data: { KEY: "x" } } });
    expect(written.status).toBe(409);
    expect([(await bench.call(`GET ${at("KEY")}`)).status, await bench.inStore("KEY")]).toEqual([404, undefined]);
    await bench.set("KEY", "of the store");
    for (const value of ["x", "of the store"]) {
      const { status, body } = await bench.call("POST /v1/secret/data/namespace/prod", { json: { data: { KEY: value } } });
      expect([status, body.errors]).toEqual([409, [expect.stringContaining("in a store")]]);
    }
    expect([await bench.inStore("KEY"), bench.versions("KEY")]).toEqual(["of the store", 1]);
  });

  it("is in no store that somebody has written into the database", async () => {
    await bench.bind();
    await env.DB.prepare("UPDATE scope_stores SET prefix = 'prod/other/' WHERE org = ?").bind(bench.org).run();
    for (const reply of [await bench.set("KEY", "x"), await bench.call("GET /v1/scopes"), await put({ store: null })])
      expect(reply.body.code).toBe("integrity-failed");
    expect((await bench.call(`GET ${at("KEY")}`)).status).toBe(404);
  });

  it("is told of what happened to it by events", async () => {
    await bench.bind();
    await bench.done(`PUT /v1/scopes/${SCOPE}`, { json: { store: null } });
    const { results } = await env.DB.prepare("SELECT action, target FROM audit_events WHERE org = ? ORDER BY seq DESC LIMIT 2").bind(bench.org).all();
    expect(results).toEqual([
      { action: "scope.delete", target: `${SCOPE} in outside` },
      { action: "scope.put", target: `${SCOPE} in outside ${PREFIX}` },
    ]);
  });
});
