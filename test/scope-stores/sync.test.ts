import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { answering } from "../support/stores/stub-network.ts";
import { at, type Bench, interceptNetwork, KINDS, openBench, PREFIX, SCOPE } from "./place.ts";

let bench: Bench;
afterEach(() => void vi.restoreAllMocks());
const sync = (json: object = {}) => bench.call(`POST /v1/scopes/${SCOPE}/sync`, { json });

describe.each(KINDS)("a sync of a scope in a store: %s", (kind) => {
  beforeEach(async () => {
    bench = await openBench(kind);
    await bench.bind();
  });

  it("brings in what is there, says what it leaves out, and what is not there any more", async () => {
    await bench.set("MINE", "of keyhole");
    const gone = await bench.set("GONE", "soon");
    await bench.set("DELETED", "value");
    await bench.done(`DELETE ${at("DELETED")}`);
    await bench.writeInStore(`${PREFIX}THEIRS`, "of the store");
    await bench.writeInStore(`${PREFIX}9lives`, "no name");
    await bench.writeInStore(`${PREFIX}NODE_OPTIONS`, "reserved");
    await bench.writeInStore("prod/other/ELSEWHERE", "not of this scope");
    await bench.writeInStore(`${PREFIX}mine`, "another case");
    await bench.stores.open(kind, {}, undefined, { clock: Date.now, now: new Date() }).delete(`${PREFIX}GONE`);
    const dry = await sync({ dry_run: true });
    expect([dry.status, dry.body.created]).toEqual([200, ["THEIRS"]]);
    expect((await bench.call(`GET ${at("THEIRS")}`)).status).toBe(404);
    const { body } = await sync();
    expect(body).toMatchObject({ created: ["THEIRS"], remaining: 0, complete: true, skipped_more: 0 });
    expect(Object.fromEntries(body.skipped.map(({ key, reason }: { key: string; reason: string }) => [key, reason]))).toMatchObject({
      [`${PREFIX}9lives`]: "not-a-name",
      [`${PREFIX}NODE_OPTIONS`]: "name-reserved",
      [`${PREFIX}mine`]: "env-name-conflict",
    });
    // Vault goes on to list what is deleted there.
    expect([body.missing, body.present]).toEqual(kind === "vault" ? [[], 2] : [["GONE"], 1]);
    expect(gone.status).toBe(201);
    expect(await bench.value("THEIRS")).toBe("of the store");
    expect((await bench.call(`GET ${at("THEIRS")}`)).body).toMatchObject({ version: 1, source: { store: "outside", key: `${PREFIX}THEIRS` } });
    expect((await sync()).body).toMatchObject({ created: [], present: body.present + 1 });
  });

  it("writes over what it has brought in, and goes back to nothing that nobody wrote", async () => {
    await bench.writeInStore(`${PREFIX}THEIRS`, "of the store");
    await sync();
    const set = await bench.set("THEIRS", "of keyhole");
    expect(set.body).toMatchObject({ version: 2, changed: true });
    const back = await bench.call(`POST /v1/secrets/${set.body.id}/rollback`, { json: { version: 1 } });
    expect([back.status, back.body.code]).toEqual([404, "version-not-found"]);
  });
});

describe("a sync", () => {
  it("brings in 1,000 names, some at a time", { timeout: 180_000 }, async () => {
    bench = await openBench("aws");
    await bench.bind();
    for (let n = 0; n < 1_000; n++) await bench.writeInStore(`${PREFIX}NAME_${n}`, `value ${n}`);
    let made = 0;
    let left = 1_000;
    for (let calls = 0; left > 0 && calls < 10; calls++) {
      const { status, body } = await sync();
      expect([status, body.complete]).toEqual([200, true]);
      made += body.created.length;
      left = body.remaining;
    }
    expect([made, left]).toEqual([1_000, 0]);
    expect((await sync()).body).toMatchObject({ created: [], present: 1_000, missing: [], skipped: [] });
    expect(await bench.value("NAME_999")).toBe("value 999");
  });

  it("leaves out what a hostile store says beside its keys", async () => {
    bench = await openBench("vault");
    await bench.bind();
    const names = ["../../other/KEY", "prod/app/KEY", "A\u0000B", "A\nB", "__proto__", "x".repeat(3_000), "FINE", "FINE", "a/", " SPACE", "%2e%2e", "ünicode"];
    interceptNetwork(async (request, send) => {
      if (!request.url.includes("list=true")) return send();
      return new URL(request.url).pathname.endsWith("app/") || new URL(request.url).pathname.endsWith("app")
        ? answering(200, { data: { keys: names } })(request)
        : answering(404, { errors: [] })(request);
    });
    const { status, body } = await sync();
    expect([status, body.created]).toEqual([200, ["FINE"]]);
    expect(body.skipped.every(({ key }: { key: string }) => key.startsWith(PREFIX))).toBe(true);
    expect((await bench.call("GET /v1/scopes")).text).not.toContain("other");
  });

  it.each([
    ["goes round in circles", () => "the same"],
    ["comes to no end", () => crypto.randomUUID()],
  ])("ends where a store %s", { timeout: 60_000 }, async (what, next) => {
    bench = await openBench("aws");
    await bench.bind();
    let pages = 0;
    interceptNetwork(async (request, send) => {
      if (!request.headers.get("X-Amz-Target")?.endsWith("ListSecrets")) return send();
      pages++;
      return answering(200, { SecretList: [{ Name: `${PREFIX}N${pages}` }], NextToken: next() }, { "Content-Type": "application/x-amz-json-1.1" })(request);
    });
    const { status, body } = await sync();
    if (what === "goes round in circles") expect([status, body.code]).toEqual([422, "store-refused"]);
    else expect([status, body.complete, body.created.length, body.remaining, body.missing, pages]).toEqual([200, false, 200, 200, [], 400]);
  });

  it("ends where a Vault has more folders than can be gone through, and says so", async () => {
    bench = await openBench("vault");
    await bench.bind();
    interceptNetwork(async (request, send) => {
      if (!request.url.includes("list=true")) return send();
      return answering(200, { data: { keys: Array.from({ length: 8_000 }, () => `${crypto.randomUUID().repeat(4)}/`) } })(request);
    });
    const { status, body } = await sync();
    expect([status, body.code, body.detail]).toEqual([422, "store-refused", expect.stringMatching(/more than .* gone through|circles/)]);
  });

  it("asks no store that does not let the scope have all keys with its prefix any more", async () => {
    bench = await openBench("vault");
    await bench.bind();
    await bench.writeInStore(`${PREFIX}KEY`, "of the store");
    await bench.define({ allow: [{ scopes: [SCOPE], keys: ["prod/app/KEY"] }] });
    bench.stores.vault.asked.length = 0;
    const { status, body } = await sync();
    expect([status, body.code, bench.stores.vault.asked]).toEqual([422, "store-refused", []]);
  });

  it("leaves out what is being written, and brings in the others", async () => {
    bench = await openBench("vault");
    await bench.bind();
    let broken = false;
    interceptNetwork(async (request, send) => {
      if (broken || request.method !== "POST" || !request.url.includes("/data/")) return send();
      broken = true;
      await send();
      throw new TypeError("the connection broke off");
    });
    expect((await bench.set("HALF", "x")).status).toBe(503);
    await bench.writeInStore(`${PREFIX}THEIRS`, "of the store");
    for (const dry_run of [true, false]) {
      const { status, body } = await sync({ dry_run });
      expect([status, body.created, body.skipped]).toEqual([200, ["THEIRS"], [{ key: `${PREFIX}HALF`, reason: "being-written" }]]);
    }
    await env.DB.prepare("DELETE FROM store_writes WHERE org = ?").bind(bench.org).run();
  });

  it("is of a scope in a store, and of every name in it", async () => {
    bench = await openBench("vault");
    expect(await sync()).toMatchObject({ status: 404, body: { code: "scope-not-found" } });
    await bench.bind();
    const token = { org: bench.org, secret_names: ["A*"] };
    expect((await bench.call(`POST /v1/scopes/${SCOPE}/sync`, { token })).status).toBe(403);
    expect((await bench.call(`POST /v1/scopes/${SCOPE}/sync`, { token: { org: bench.org, scope: "secrets:read" } })).status).toBe(403);
  });

  it("finds of each name exactly the one that was written, in either case, in every kind", { timeout: 60_000 }, async () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,20}$/);
    for (const kind of KINDS) {
      bench = await openBench(kind);
      await bench.bind();
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(name, { minLength: 1, maxLength: 4 }), async (names) => {
          const driver = bench.stores.open(kind, {}, undefined, { clock: Date.now, now: new Date() });
          for (const one of names) await bench.writeInStore(PREFIX + one, one);
          const listed = new Set<string>();
          let cursor: string | undefined;
          do {
            const page = await driver.list(PREFIX, cursor);
            for (const key of page.keys) listed.add(key);
            cursor = page.next;
          } while (cursor !== undefined);
          for (const one of names) {
            expect(listed.has(PREFIX + one)).toBe(true);
            expect(new TextDecoder().decode((await driver.get(PREFIX + one))?.value)).toBe(one);
            await driver.delete(PREFIX + one);
          }
          bench.stores.aws.secrets.clear();
          bench.stores.vault.data.clear();
          bench.stores.azure.secrets.clear();
        }),
        { numRuns: 15 },
      );
    }
  });
});
