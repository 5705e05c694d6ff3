import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { eventsOf } from "../support/events-of.ts";
import { at, type Bench, KINDS, openBench, PREFIX, SCOPE } from "./place.ts";

let bench: Bench;
afterEach(() => void vi.restoreAllMocks());

describe.each(KINDS)("a scope in a store: %s", (kind) => {
  beforeEach(async () => {
    bench = await openBench(kind);
    expect((await bench.bind()).body).toMatchObject({ scope: SCOPE, store: "outside", prefix: PREFIX, secrets: 0 });
  });

  it("has what is set in its store, and nothing of it here", async () => {
    const made = await bench.set("DATABASE_URL", "postgres://one");
    expect([made.status, made.body]).toMatchObject([201, { version: 1, source: { store: "outside", key: `${PREFIX}DATABASE_URL` } }]);
    // Where the store is is for whoever may write stores.
    for (const { source } of [made.body, (await bench.call(`GET ${at("DATABASE_URL")}`)).body, (await bench.call(`GET /v1/secrets?scope=${SCOPE}`)).body.secrets[0]])
      expect(Object.keys(source)).toEqual(["store", "key", "written"]);
    expect(await bench.inStore("DATABASE_URL")).toBe("postgres://one");
    expect(await bench.inStore("DATABASE_URL", made.body.source.written)).toBe("postgres://one");
    expect(await bench.value("DATABASE_URL")).toBe("postgres://one");
    const again = await bench.set("DATABASE_URL", "postgres://two", { fields: { description: "the shop's" } });
    expect([again.status, again.body]).toMatchObject([200, { version: 2, changed: true, description: "the shop's" }]);
    expect(await bench.value("DATABASE_URL")).toBe("postgres://two");
    expect(bench.versions("DATABASE_URL")).toBe(2);
  });

  it("has no new version of the same value, and takes what else is said", async () => {
    await bench.set("KEY", "the same");
    const again = await bench.set("KEY", "the same");
    expect([again.status, again.body]).toMatchObject([200, { version: 1, changed: false }]);
    const told = await bench.set("KEY", "the same", { fields: { description: "told" } });
    expect(told.body).toMatchObject({ version: 1, changed: true, description: "told" });
    expect(bench.versions("KEY")).toBe(1);
  });

  it("shows what was rotated in the store itself, and writes over it", async () => {
    await bench.set("KEY", "of keyhole");
    await bench.writeInStore(`${PREFIX}KEY`, "of the store");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
    try {
      expect(await bench.value("KEY")).toBe("of the store");
      expect((await bench.set("KEY", "of keyhole")).body).toMatchObject({ version: 2, changed: true });
      expect(await bench.value("KEY")).toBe("of keyhole");
    } finally {
      vi.useRealTimers();
    }
  });

  it("goes back to what was written there, by the store's own version, and writes it as a new one", async () => {
    const { body: first } = await bench.set("KEY", "first");
    await bench.set("KEY", "second");
    const back = await bench.done(`POST /v1/secrets/${first.id}/rollback`, { json: { version: 1 } });
    expect(back.body).toMatchObject({ version: 3 });
    expect(back.body.source.written).not.toBe(first.source.written);
    expect([await bench.value("KEY"), await bench.inStore("KEY"), bench.versions("KEY")]).toEqual(["first", "first", 3]);
  });

  it("deletes there and here, and brings both back", async () => {
    const { body } = await bench.set("KEY", "value");
    expect((await bench.done(`DELETE ${at("KEY")}`)).status).toBe(204);
    expect([await bench.inStore("KEY"), (await bench.call(`GET ${at("KEY")}`)).status]).toEqual([undefined, 404]);
    expect((await bench.done(`POST /v1/secrets/${body.id}/undelete`)).body).toMatchObject({ id: body.id, version: 1 });
    expect([await bench.inStore("KEY"), await bench.value("KEY")]).toEqual(["value", "value"]);
  });

  it("takes a name that was deleted again", async () => {
    await bench.set("KEY", "value");
    await bench.done(`DELETE ${at("KEY")}`);
    const made = await bench.set("KEY", "another");
    expect([made.status, made.body]).toMatchObject([201, { version: 2 }]);
    expect([await bench.inStore("KEY"), await bench.value("KEY")]).toEqual(["another", "another"]);
  });

  it("imports many, each as set, and a dry run writes nothing", async () => {
    await bench.set("A", "1");
    await bench.set("B", "2");
    const secrets = { A: "1", B: "changed", C: "3", ...Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`N${n}`, `value ${n}`])) };
    const dry = await bench.done("POST /v1/import?dry_run=true", { json: { scope: SCOPE, secrets } });
    expect(dry.body).toMatchObject({ unchanged: ["A"], updated: ["B"] });
    expect([await bench.inStore("B"), await bench.inStore("C")]).toEqual(["2", undefined]);
    const { body } = await bench.done("POST /v1/import", { json: { scope: SCOPE, secrets } });
    expect([body.unchanged, body.updated, body.created.length, body.failed]).toEqual([["A"], ["B"], 21, undefined]);
    expect([await bench.inStore("B"), await bench.inStore("N19"), await bench.value("N19"), bench.versions("A")]).toEqual([
      "changed",
      "value 19",
      "value 19",
      1,
    ]);
  });

  it("holds conditions, in a patch too, and creates what is not there only", async () => {
    const { headers, body } = await bench.set("KEY", "one");
    expect((await bench.set("KEY", "two", { headers: { "If-None-Match": "*" } })).status).toBe(412);
    expect((await bench.call("POST /v1/secrets", { json: { scope: SCOPE, name: "KEY", value: "two" } })).status).toBe(409);
    expect(await bench.inStore("KEY")).toBe("one");
    const match = { headers: { "If-Match": headers.get("ETag") ?? "" } };
    expect((await bench.call(`PATCH /v1/secrets/${body.id}`, { json: { value: "two" }, ...match })).body).toMatchObject({ version: 2 });
    expect((await bench.call(`PATCH /v1/secrets/${body.id}`, { json: { value: "three" }, ...match })).status).toBe(412);
    expect(await bench.inStore("KEY")).toBe("two");
    expect((await bench.call("POST /v1/secrets", { json: { scope: SCOPE, name: "OTHER", value: "x" } })).body.source.key).toBe(`${PREFIX}OTHER`);
  });

  it("keeps bytes, and says what is too large for the store", async () => {
    const value = btoa(String.fromCharCode(0, 255, 1, 254));
    expect((await bench.call(`PUT ${at("BYTES")}`, { json: { value, encoding: "base64" } })).status).toBe(201);
    expect((await bench.call(`GET /v1/resolve/BYTES?scope=${SCOPE}`)).body).toMatchObject({ value, encoding: "base64" });
    if (kind !== "azure") return;
    expect((await bench.set("LARGE", "x".repeat(25_601))).body).toMatchObject({ status: 413, code: "value-too-large" });
    expect((await bench.call(`GET ${at("LARGE")}`)).status).toBe(404);
    expect((await bench.set("LARGE", "small")).status).toBe(201);
  });

  it("is on record before the store is changed, with the credentials that it is changed with", async () => {
    await bench.set("KEY", "value");
    const events = (await eventsOf(bench.org)).slice(-2);
    expect(events.map(({ action, outcome, target }) => [action, outcome, target])).toEqual([
      ["store.write", "allowed", "outside#1"],
      ["secret.create", "allowed", null],
    ]);
    expect(events[0]?.secrets.length).toBe(kind === "aws" ? 2 : 1);
  });

  it("has one of two writes at the same time, or both, and the store has what is said here", async () => {
    await bench.set("KEY", "before");
    const replies = await Promise.all(["one", "two", "three"].map((value) => bench.set("KEY", value)));
    const statuses = replies.map(({ status }) => status);
    expect(statuses.every((status) => status === 200 || status === 409)).toBe(true);
    const won = replies.filter(({ status }) => status === 200).sort((a, b) => b.body.version - a.body.version)[0];
    expect(won).toBeDefined();
    const shown = await bench.call(`GET ${at("KEY")}`);
    expect(shown.body).toMatchObject({ version: won?.body.version, source: { written: won?.body.source.written } });
    expect(await bench.inStore("KEY")).toBe(await bench.inStore("KEY", shown.body.source.written));
    expect(bench.versions("KEY")).toBe(shown.body.version);
  });

  it("refuses what a store does not do, and destroys nothing here alone", async () => {
    const { body } = await bench.set("KEY", "one");
    await bench.set("KEY", "two");
    for (const request of [`DELETE /v1/secrets/${body.id}/versions/1`, `DELETE ${at("KEY")}?purge=true`, `DELETE /v1/scopes/${SCOPE}?secrets=true`])
      expect([request, (await bench.call(request)).body.code]).toEqual([request, "scope-in-store"]);
    expect(await bench.value("KEY")).toBe("two");
    await bench.done(`DELETE ${at("KEY")}`);
    expect((await bench.call(`DELETE ${at("KEY")}?purge=true`)).status).toBe(204);
  });

  it("says why a store that does not allow it has not taken a value, and changes nothing", async () => {
    await bench.set("KEY", "one");
    if (kind === "aws") bench.stores.aws.denied.add("PutSecretValue");
    else if (kind === "azure") bench.stores.azure.denied.add("PUT");
    else bench.stores.vault.denied.add(`secret/data/${PREFIX}KEY`);
    const refused = await bench.set("KEY", "two");
    expect([refused.status, refused.body.code]).toEqual([422, "store-refused"]);
    expect((await bench.call(`GET ${at("KEY")}`)).body.version).toBe(1);
    for (const fake of [bench.stores.aws, bench.stores.azure, bench.stores.vault]) fake.denied.clear();
    expect((await bench.set("KEY", "three")).body).toMatchObject({ version: 2 });
  });

  it("lists its versions with the store's own ids", async () => {
    const { body } = await bench.set("KEY", "one");
    const { body: second } = await bench.set("KEY", "two");
    const { versions } = (await bench.done(`GET /v1/secrets/${body.id}/versions`)).body;
    expect(versions.map(({ version, store_version }: { version: number; store_version: string }) => [version, store_version])).toEqual([
      [2, second.source.written],
      [1, body.source.written],
    ]);
  });

  it("keeps the hosts of a secret that is rotated by somebody who may not read it, and lets him add none", async () => {
    await bench.set("KEY", "one", { fields: { hosts: ["api.example.org"] } });
    const token = { org: bench.org, scope: "secrets:write" };
    expect((await bench.set("KEY", "two", { token })).body).toMatchObject({ version: 2, hosts: ["api.example.org"] });
    expect((await bench.set("KEY", "three", { token, fields: { hosts: ["api.example.org", "evil.example.net"] } })).status).toBe(403);
    expect(await bench.inStore("KEY")).toBe("two");
  });
});

describe("an import into a store", () => {
  beforeEach(async () => {
    bench = await openBench("vault");
    await bench.bind();
  });

  it("lists what the store has not taken, and undoes nothing of the others", async () => {
    bench.stores.vault.denied.add(`secret/data/${PREFIX}B`);
    const { status, body } = await bench.call("POST /v1/import", { json: { scope: SCOPE, secrets: { A: "1", B: "2", C: "3" } } });
    expect([status, body.created, body.failed]).toEqual([200, ["A", "C"], [{ name: "B", code: "store-refused", detail: expect.stringContaining("outside") }]]);
    expect([await bench.value("A"), (await bench.call(`GET ${at("B")}`)).status]).toEqual(["1", 404]);
    bench.stores.vault.denied.clear();
    expect((await bench.call("POST /v1/import", { json: { scope: SCOPE, secrets: { A: "1", B: "2", C: "3" } } })).body).toEqual({
      created: ["B"],
      updated: [],
      unchanged: ["A", "C"],
    });
  });

  it("holds so many, and names that are names", async () => {
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`N${n}`, "x"]));
    expect((await bench.call("POST /v1/import", { json: { scope: SCOPE, secrets: many } })).body.code).toBe("too-many-secrets");
    expect((await bench.call("POST /v1/import", { json: { scope: SCOPE, secrets: { A: "1", "9": "2" } } })).body.code).toBe("invalid-request");
    expect((await bench.call("POST /v1/import", { json: { scope: SCOPE, secrets: { "a-b": "1", A_B: "2" } } })).body.code).toBe("env-name-conflict");
    expect(bench.stores.vault.data.size).toBe(0);
  });
});
