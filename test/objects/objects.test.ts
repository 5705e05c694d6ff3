import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { MAX_NESTING } from "../../src/contract/json-nesting.ts";
import type { Scope } from "../../src/contract/scope.ts";
import { leasesOf } from "../../src/worker/leases/leases.ts";
import { destroyObject } from "../../src/worker/objects/destroy-object.ts";
import { listObjects } from "../../src/worker/objects/list-objects.ts";
import { purgeObject } from "../../src/worker/objects/purge-object.ts";
import { patchObjectMetadata, putObjectMetadata } from "../../src/worker/objects/put-object-metadata.ts";
import { objectRequest, readObject } from "../../src/worker/objects/read-object.ts";
import { readObjectMetadata } from "../../src/worker/objects/read-object-metadata.ts";
import { deletionsMeant, undeleteObject } from "../../src/worker/objects/undelete-object.ts";
import { answerLeased } from "../../src/worker/secrets/answer-leased.ts";
import { releaseAgain } from "../../src/worker/secrets/kept-values.ts";
import { releaseSecrets } from "../../src/worker/secrets/release-secrets.ts";
import { compareAnswer, type LeasedAnswer, resolveLeased } from "../../src/worker/secrets/resolve-leased.ts";
import { at, call, put, resolve } from "../support/call.ts";
import { eventsOf } from "../support/events-of.ts";
import { putExpired } from "../support/put-expired.ts";
import { openObjects } from "./place.ts";

const APP = "repo:acme/app";
const scope = APP as Scope;
const newOrg = () => `obj-${crypto.randomUUID().slice(0, 8)}`;
const revisionOf = (org: string, of = APP) =>
  env.DB.prepare("SELECT revision FROM scope_revisions WHERE org = ? AND scope = ?").bind(org, of).first<number>("revision");
const problemOf = async (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: { code?: string }) => error.code ?? String(error),
  );

describe("an object that is replaced", () => {
  it("sets what is given and deletes what is not, in one revision", async () => {
    const org = newOrg();
    const { put, get } = await openObjects(org);
    expect(await put(APP, { A: "1", B: "2" })).toMatchObject({ revision: 1 });
    expect(await put(APP, { A: "1", C: "3" })).toMatchObject({ revision: 2 });
    expect((await get(APP)).data).toEqual({ A: "1", C: "3" });
    expect((await get(APP)).state).toMatchObject({ revision: 2, deletedAt: null });
    const versions = await env.DB.prepare(
      "SELECT s.name, v.version, v.scope_revision, s.deleted_revision FROM secrets s JOIN versions v ON v.secret_id = s.id WHERE s.org = ? ORDER BY 1",
    )
      .bind(org)
      .all();
    expect(versions.results).toEqual([
      { name: "A", version: 1, scope_revision: 1, deleted_revision: null },
      { name: "B", version: 1, scope_revision: 1, deleted_revision: 2 },
      { name: "C", version: 1, scope_revision: 2, deleted_revision: null },
    ]);
  });

  it("stays at its revision, without a version, where nothing changes", async () => {
    const { put } = await openObjects(newOrg());
    await put(APP, { A: "1", B: { json: "1.0" }, E: "" });
    expect(await put(APP, { E: "", B: { json: "1.0" }, A: "1" })).toMatchObject({ revision: 1 });
    expect(await put(APP, { E: "", B: "1.0", A: "1" })).toMatchObject({ revision: 2 });
  });

  it("of twenty keys is one revision, and has an event of what is set and one of what is deleted", async () => {
    const org = newOrg();
    const { put } = await openObjects(org);
    await put(APP, { OLD: "x" });
    const twenty = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`K${n}`, String(n)]));
    expect(await put(APP, twenty)).toMatchObject({ revision: 2 });
    const events = (await eventsOf(org)).slice(-2);
    expect(events.map(({ action, secrets, target }) => [action, secrets.length, target])).toEqual([
      ["secret.delete", 1, APP],
      ["secret.create", 20, APP],
    ]);
  });

  it("with nothing is deleted", async () => {
    const { put, get } = await openObjects(newOrg());
    await put(APP, { A: "1" });
    const { revision, createdAt } = await put(APP, {});
    expect(revision).toBe(2);
    expect((await get(APP)).state.deletedAt).toBe(createdAt);
  });

  it("says its revision also where the database did the write and its answer was lost", async () => {
    const org = newOrg();
    let lost = 0;
    const batch = async (statements: D1PreparedStatement[]) => {
      const results = await env.DB.batch(statements);
      if (statements.length < 5) return results;
      lost++;
      throw new Error("the answer was lost");
    };
    const { put, remove, get } = await openObjects(org, {}, { DB: { prepare: (sql: string) => env.DB.prepare(sql), batch } });
    expect(await put(APP, { A: "1" })).toMatchObject({ revision: 1 });
    expect(await put(APP, { A: "2", B: "1" })).toMatchObject({ revision: 2 });
    expect(await remove(APP)).toMatchObject({ revision: 3 });
    expect([lost, (await get(APP)).state.revision]).toEqual([3, 3]);
  });

  it("deletes for good where nothing can come back", async () => {
    const org = newOrg();
    const { needs, caller, put, get } = await openObjects(org, {}, { RECOVERY_DAYS: "0" });
    await put(APP, { A: "1", B: "2" });
    expect(await put(APP, { A: "1" })).toMatchObject({ revision: 2 });
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM secrets WHERE org = ?").bind(org).first("n")).toBe(1);
    expect(await undeleteObject(needs, caller(), scope, [1])).toMatchObject({ revision: 2 });
    expect((await get(APP)).data).toEqual({ A: "1" });
  });

  it("may have an environment name that another key gives up, and never one twice", async () => {
    const { put, get } = await openObjects(newOrg());
    await put(APP, { "db-password": "1" });
    await put(APP, { DB_PASSWORD: "2" });
    expect((await get(APP)).data).toEqual({ DB_PASSWORD: "2" });
    expect(await problemOf(put(APP, { "a-b": "1", A_B: "2" }))).toBe("env-name-conflict");
    expect((await get(APP)).data).toEqual({ DB_PASSWORD: "2" });
  });

  it("may have keys that differ in nothing but case where they are never variables", async () => {
    const { put: replace, patch, get } = await openObjects(newOrg());
    const odd = { "2fa": "1", "2FA": "2", "a b": "3", "A B": "4", PATH: "5", path: "6" };
    await replace(APP, odd);
    expect((await get(APP)).data).toEqual(odd);
    expect(await problemOf(patch(APP, { x_y: "1" }))).toBe("done");
    expect(await problemOf(patch(APP, { "x-y": "1" }))).toBe("env-name-conflict");
  });

  it("is refused where a wider scope has locked a name, and is what it was", async () => {
    const org = newOrg();
    const objects = await openObjects(org);
    await put("global", "A", "locked", { token: { org }, fields: { locked: true } });
    await objects.put(APP, { B: "1" });
    expect(await problemOf(objects.put(APP, { A: "1" }))).toBe("name-locked");
    expect((await objects.get(APP)).data).toEqual({ B: "1" });
  });

  it("keeps what no read shows, and says so; by name, and with the object, that is deleted all the same", async () => {
    const org = newOrg();
    const token = { org };
    const objects = await openObjects(org);
    await objects.put(APP, { A: "1", B: "2" });
    await putExpired(APP, "OLD", "3", { token });
    await putExpired(APP, "_x.2fa", "4", { token, fields: { variable: false } });
    await put("global", "B", "locked", { token, fields: { locked: true } });
    const read = await objects.get(APP);
    expect(read.data).toEqual({ A: "1" });
    // What a client does that changes a key: it writes what it has read.
    const { revision, warnings } = await objects.put(APP, { ...read.data, C: "5" }, read.state.revision);
    expect(revision).toBe(read.state.revision + 1);
    expect(warnings).toEqual([expect.stringMatching(/expired.*: "OLD", "2fa";/), expect.stringMatching(/locked.*: "B";/)]);
    const kept = async () =>
      (await env.DB.prepare("SELECT name FROM secrets WHERE org = ? AND scope = ? AND deleted_at IS NULL ORDER BY name").bind(org, APP).all()).results.map(
        ({ name }) => name,
      );
    expect(await kept()).toEqual(["A", "B", "C", "OLD", "_x.2fa"]);
    // All that is shown is deleted, and that is not all of it: it cannot come back as the whole that it was.
    expect(await objects.put(APP, {})).toMatchObject({ revision: revision + 1 });
    expect((await objects.get(APP)).state.deletedAt).toBeNull();
    expect(await objects.put(APP, {})).toMatchObject({ revision: revision + 1, warnings: [expect.any(String), expect.any(String)] });
    expect((await objects.patch(APP, { OLD: null, B: null })).warnings).toEqual([]);
    expect(await kept()).toEqual(["_x.2fa"]);
    await objects.remove(APP);
    expect(await kept()).toEqual([]);
  });

  it("gives what had expired no expiry, whether it is set or patched, and says so", async () => {
    const org = newOrg();
    const token = { org };
    const { put: replace, patch, get } = await openObjects(org);
    for (const name of ["SAME", "OTHER"]) await putExpired(APP, name, "1", { token });
    const later = new Date(Date.now() + 3_600_000).toISOString();
    await put(APP, "LATER", "1", { token, fields: { expires_at: later } });
    expect((await replace(APP, { SAME: "1", LATER: "2" })).warnings).toEqual([
      expect.stringContaining('no expiry any more: "SAME"'),
      expect.stringContaining('"OTHER"'),
    ]);
    expect((await patch(APP, { OTHER: "2" })).warnings).toEqual([expect.stringContaining('no expiry any more: "OTHER"')]);
    expect((await get(APP)).data).toEqual({ SAME: "1", OTHER: "2", LATER: "2" });
    // What has expired is not released again by what is merged into it.
    await patch(APP, { DOC: { merge: '{"a":1}' } });
    await call(`PATCH /v1/secrets/${(await call(`GET ${at(APP, "DOC")}`, { token })).body.id}`, { token, json: { expires_at: later } });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 7_200_000 });
    const after = await openObjects(org);
    vi.useRealTimers();
    expect((await after.patch(APP, { DOC: { merge: '{"b":2}' } })).warnings.join()).toContain("DOC");
    expect((await get(APP)).data).toMatchObject({ DOC: { json: '{"b":2}' } });
    // An expiry that is still to come is somebody's word on the secret, and stays.
    expect((await call(`GET ${at(APP, "LATER")}`, { token })).body.expires_at).toBe(later);
  });

  it("takes the revision that it has to have, and of two writers with the same one exactly one wins", async () => {
    const { put } = await openObjects(newOrg());
    expect(await problemOf(put(APP, { A: "1" }, 1))).toBe("version-conflict");
    expect(await put(APP, { A: "1" }, 0)).toMatchObject({ revision: 1 });
    expect(await problemOf(put(APP, { A: "2" }, 0))).toBe("version-conflict");
    const results = await Promise.all([2, 3, 4, 5].map((n) => problemOf(put(APP, { [`A${n}`]: String(n) }, 1))));
    expect(results.sort()).toEqual(["done", "version-conflict", "version-conflict", "version-conflict"]);
  });

  it("by writers at the same time is what one of them gave, whole", async () => {
    const { put, get } = await openObjects(newOrg());
    await put(APP, { A: "0" });
    await Promise.all([1, 2, 3].map((n) => put(APP, { [`A${n}`]: String(n) })));
    expect([{ A1: "1" }, { A2: "2" }, { A3: "3" }]).toContainEqual((await get(APP)).data);
  });

  it("was there before there were revisions at revision 1, which no condition of a new one meets", async () => {
    const org = newOrg();
    const { put: replace } = await openObjects(org);
    await put(APP, "A", "1", { token: { org } });
    await env.DB.prepare("DELETE FROM scope_revisions WHERE org = ?").bind(org).run();
    await env.DB.prepare(
      "INSERT INTO scope_revisions (org, scope, revision, created_at, revised_at, updated_at) SELECT org, scope, 1, MIN(created_at), 0, 0 FROM secrets WHERE org = ? GROUP BY 1, 2",
    )
      .bind(org)
      .run();
    expect(await problemOf(replace(APP, { B: "1" }, 0))).toBe("version-conflict");
    expect(await replace(APP, { B: "1" }, 1)).toMatchObject({ revision: 2 });
  });
});

describe("keys and values of an object", () => {
  it("are shown as they were given: keys that are no names, JSON, empty texts", async () => {
    const org = newOrg();
    const { put, get } = await openObjects(org);
    const values = { ".dockerconfigjson": "{}", "2fa": "x", "a b": "y", ü: "z", EMPTY: "", NUMBER: { json: "12345678901234567890.10" }, "_x.2fa": "w" };
    await put(APP, values);
    expect((await get(APP)).data).toEqual(values);
    const listed = await call(`GET /v1/secrets?scope=${encodeURIComponent(APP)}`, { token: { org } });
    expect(
      listed.body.secrets.map(({ name, variable, encoding }: { name: string; variable: boolean; encoding: string }) => [name, variable, encoding]),
    ).toEqual([
      ["EMPTY", true, "utf8"],
      ["NUMBER", true, "utf8"],
      ["_x.-C3-BC", false, "utf8"],
      ["_x..dockerconfigjson", false, "utf8"],
      ["_x.2fa", false, "utf8"],
      ["_x._x.2fa", false, "utf8"],
      ["_x.a-20b", false, "utf8"],
    ]);
    const resolved = await resolve({ scopes: [APP], names: ["NUMBER", "EMPTY"] }, { token: { org } });
    expect(resolved.body.secrets.NUMBER).toMatchObject({ value: "12345678901234567890.10", encoding: "utf8" });
    expect(resolved.body.secrets.EMPTY).toMatchObject({ value: "" });
  });

  it("that are too long, or no text, are refused by their name, and nothing is stored", async () => {
    const org = newOrg();
    const { put } = await openObjects(org);
    for (const key of ["", "x".repeat(129), " ".repeat(50), "\ud800", "__proto__"])
      expect(
        await problemOf(
          put(
            APP,
            Object.fromEntries([
              ["A", "1"],
              [key, "1"],
            ]),
          ),
        ),
      ).toBe("invalid-request");
    expect(await problemOf(put(APP, { A: "x".repeat(65_537) }))).toBe("value-too-large");
    expect(await problemOf(put(APP, Object.fromEntries(Array.from({ length: 501 }, (_, n) => [`K${n}`, "1"]))))).toBe("too-many-secrets");
    expect(await revisionOf(org)).toBeNull();
  });

  it("of a reserved name are kept, become no variable, and are said so", async () => {
    const org = newOrg();
    const objects = await openObjects(org);
    const { warnings } = await objects.put(APP, { AWS_SECRET_ACCESS_KEY: "k", PATH: "p", OK: "o" });
    expect(warnings.join()).toContain("AWS_SECRET_ACCESS_KEY");
    const token = { org };
    const env = await call("POST /v1/resolve?format=env", { token, json: { scopes: [APP] } });
    expect(env.body).toEqual({ OK: "o" });
    expect((await resolve({ scopes: [APP] }, { token })).body.skipped).toEqual(["AWS_SECRET_ACCESS_KEY", "PATH"]);
    expect((await put(APP, "AWS_SECRET_ACCESS_KEY", "k2", { token })).status).toBe(200);
    expect((await put(APP, "AWS_SECRET_ACCESS_KEY", "k2", { token, fields: { variable: true } })).body.code).toBe("name-reserved");
  });

  it("that are bytes stay bytes when what is shown of them is written again", async () => {
    const org = newOrg();
    const { put: replace, get } = await openObjects(org);
    await put(APP, "BIN", "/wD+", { token: { org }, fields: { encoding: "base64" } });
    expect((await get(APP)).data).toEqual({ BIN: "/wD+" });
    expect(await replace(APP, { BIN: "/wD+" })).toMatchObject({ revision: 1 });
    expect(await replace(APP, { BIN: "/wD/" })).toMatchObject({ revision: 2 });
    expect((await resolve({ scopes: [APP], names: ["BIN"] }, { token: { org } })).body.secrets.BIN).toMatchObject({ value: "/wD/", encoding: "utf8" });
  });

  it("that are JSON stay what they are when a native client writes the same text", async () => {
    const org = newOrg();
    const { put: replace, get } = await openObjects(org);
    await replace(APP, { N: { json: "1.50" } });
    expect((await put(APP, "N", "1.50", { token: { org } })).body.changed).toBe(false);
    expect((await get(APP)).data).toEqual({ N: { json: "1.50" } });
  });
});

describe("an object that is patched", () => {
  it("has some keys set and deleted, and merges documents without giving them to anybody", async () => {
    const org = newOrg();
    const { put, get } = await openObjects(org);
    await put(APP, { A: "1", B: "2", DOC: { json: '{"keep":1.0,"drop":2,"in":{"x":1}}' }, TEXT: '{"no":1}' });
    const writer = await openObjects(org, { permissions: ["secrets:write"] });
    const patched = await writer.patch(APP, {
      A: "9",
      B: null,
      GONE: null,
      DOC: { merge: '{"drop":null,"in":{"y":1e400},"new":[1.10,null]}' },
      TEXT: { merge: '{"a":null,"b":1}' },
    });
    expect(patched).toMatchObject({ revision: 2 });
    expect((await get(APP)).data).toEqual({
      A: "9",
      DOC: { json: '{"keep":1.0,"in":{"x":1,"y":1e400},"new":[1.10,null]}' },
      TEXT: { json: '{"b":1}' },
    });
    expect(await problemOf(writer.get(APP))).toBe("forbidden");
  });

  it("brings back no key of one that is deleted while the patch is under way", async () => {
    const org = newOrg();
    const { put, get, remove } = await openObjects(org);
    await put(APP, { A: "1", B: "2" });
    let batches = 0;
    const DB = {
      prepare: (sql: string) => env.DB.prepare(sql),
      batch: async (statements: D1PreparedStatement[]) => {
        // The patch has found the object, and finds its key deleted.
        if (++batches === 2) await remove(APP);
        return env.DB.batch(statements);
      },
    };
    const { patch } = await openObjects(org, {}, { DB });
    expect(await problemOf(patch(APP, { A: "3" }))).toBe("secret-not-found");
    expect((await get(APP)).data).toEqual({});
  });

  it("is not there to be patched where there is nothing", async () => {
    const { patch, put, remove } = await openObjects(newOrg());
    expect(await problemOf(patch(APP, { A: "1" }))).toBe("secret-not-found");
    await put(APP, { A: "1" });
    await remove(APP);
    expect(await problemOf(patch(APP, { A: "1" }))).toBe("secret-not-found");
  });

  it("takes the revision that it has to have", async () => {
    const { patch, put } = await openObjects(newOrg());
    await put(APP, { A: "1" });
    expect(await problemOf(patch(APP, { A: "2" }, 0))).toBe("version-conflict");
    expect(await patch(APP, { A: "2" }, 1)).toMatchObject({ revision: 2 });
    expect(await patch(APP, { A: "2" }, 2)).toMatchObject({ revision: 2 });
  });

  it("may be nested so deep and no deeper", async () => {
    const { patch, put } = await openObjects(newOrg());
    await put(APP, { A: "1" });
    const deep = (n: number) => `${'{"a":'.repeat(n)}1${"}".repeat(n)}`;
    expect(await problemOf(patch(APP, { A: { merge: deep(MAX_NESTING) } }))).toBe("done");
    for (const n of [MAX_NESTING + 1, 30_000]) expect(await problemOf(patch(APP, { A: { merge: deep(n) } }))).toBe("invalid-request");
  });
});

describe("a caller whose grant is limited by name", () => {
  it("reads what it covers, patches that, and replaces only what it covers all of", async () => {
    const org = newOrg();
    const all = await openObjects(org);
    const some = await openObjects(org, { names: ["A*"] });
    expect(await some.put(APP, { A1: "1" })).toMatchObject({ revision: 1 });
    await all.patch(APP, { B: "2" });
    const read = await some.get(APP);
    expect([read.data, read.warnings.length]).toEqual([{ A1: "1" }, 1]);
    expect(await problemOf(some.put(APP, { A1: "1" }))).toBe("forbidden");
    expect(await problemOf(some.put(APP, { A1: "1", B: "1" }))).toBe("forbidden");
    expect(await problemOf(some.remove(APP))).toBe("forbidden");
    expect(await problemOf(some.patch(APP, { B: "1" }))).toBe("forbidden");
    expect(await problemOf(some.patch(APP, { B: null }))).toBe("forbidden");
    expect(await some.patch(APP, { A1: null, A2: "3" })).toMatchObject({ revision: 3 });
    expect((await all.get(APP)).data).toEqual({ A2: "3", B: "2" });
    expect(await problemOf(putObjectMetadata(some.needs, some.caller(), scope, { a: "b" }))).toBe("forbidden");
    expect(await problemOf(purgeObject(some.needs, some.caller(), scope))).toBe("forbidden");
    await all.remove(APP);
    expect(await problemOf(undeleteObject(some.needs, some.caller(), scope, [4]))).toBe("forbidden");
    expect(await problemOf(destroyObject(some.needs, some.caller(), scope, [2]))).toBe("forbidden");
    expect((await readObjectMetadata(some.needs, some.caller(), scope)).versions.map(({ revision }) => revision)).toEqual([1, 3, 4]);
  });
});

describe("what was deleted of an object", () => {
  it("comes back by the version that people had, and by that which deleted it", async () => {
    const org = newOrg();
    const { needs, caller, put, remove, get } = await openObjects(org);
    const undelete = (...versions: number[]) => undeleteObject(needs, caller(), scope, versions);
    await put(APP, { A: "1", B: "2" });
    await remove(APP);
    expect(await undelete(1)).toMatchObject({ revision: 3 });
    expect((await get(APP)).data).toEqual({ A: "1", B: "2" });
    expect(await undelete(1)).toMatchObject({ revision: 3 });
    await remove(APP);
    expect(await undelete(4)).toMatchObject({ revision: 5 });
    expect((await get(APP)).data).toEqual({ A: "1", B: "2" });
  });

  it("as a whole comes back by the version before, also where that had deleted something itself", async () => {
    const { needs, caller, put, remove, get } = await openObjects(newOrg());
    await put(APP, { A: "1", B: "2" });
    await put(APP, { A: "1" });
    await remove(APP);
    for (let n = 0; n < 2; n++) await undeleteObject(needs, caller(), scope, [2]);
    expect((await get(APP)).data).toEqual({ A: "1" });
    await undeleteObject(needs, caller(), scope, [1]);
    expect((await get(APP)).data).toEqual({ A: "1", B: "2" });
  });

  it("means one deletion of each version at the most", () => {
    expect(deletionsMeant([1], null, new Set([1, 2]))).toEqual(new Set([1]));
    expect(deletionsMeant([1], null, new Set([2, 3]))).toEqual(new Set([2]));
    expect(deletionsMeant([1], 2, new Set([1, 2]))).toEqual(new Set([2]));
    expect(deletionsMeant([1, 2], null, new Set([2]))).toEqual(new Set([2]));
    expect(deletionsMeant([5], null, new Set([2]))).toEqual(new Set());
  });

  it("is destroyed by the version that deleted all of it, which is the one that is current then", async () => {
    const { needs, caller, put, remove, get } = await openObjects(newOrg());
    await put(APP, { A: "1", B: "1" });
    await put(APP, { A: "2" });
    await remove(APP);
    await destroyObject(needs, caller(), scope, [3]);
    for (const version of [3, 1]) await undeleteObject(needs, caller(), scope, [version]);
    // What another version deleted comes back still.
    expect((await get(APP)).data).toEqual({ B: "1" });
    await remove(APP);
    const limited = await openObjects(caller().org, { names: ["A*"] });
    expect(await problemOf(destroyObject(limited.needs, limited.caller(), scope, [5]))).toBe("forbidden");
  });

  it("does not come back all at once where one of its names cannot be set now", async () => {
    const org = newOrg();
    const objects = await openObjects(org);
    await objects.put(APP, { "a-b": "1", C: "2" });
    await objects.remove(APP);
    await objects.put(APP, { A_B: "3" });
    expect(await problemOf(undeleteObject(objects.needs, objects.caller(), scope, [2]))).toBe("env-name-conflict");
    expect((await objects.get(APP)).data).toEqual({ A_B: "3" });
  });

  it("is destroyed by the version that wrote it, all of it or nothing where a value of it is current", async () => {
    const org = newOrg();
    const { needs, caller, put, patch, remove, get } = await openObjects(org);
    await put(APP, { A: "1", "2fa": "1" });
    await patch(APP, { A: "2" });
    for (const versions of [[1], [1, 2], [2, 1, 7]]) {
      const refused = await destroyObject(needs, caller(), scope, versions).catch((error: Error) => error);
      expect([versions, refused]).toEqual([versions, expect.objectContaining({ code: "version-conflict", message: expect.stringContaining('"2fa"') })]);
    }
    const destroyed = () => env.DB.prepare("SELECT COUNT(*) AS n FROM versions WHERE org = ? AND kind = 'destroyed'").bind(org).first("n");
    expect(await destroyed()).toBe(0);
    expect(await problemOf(destroyObject(needs, caller(), scope, [7]))).toBe("done");
    await patch(APP, { "2fa": null, B: "1" });
    // The deleted one goes with its value, and the older value of the other.
    await destroyObject(needs, caller(), scope, [1]);
    expect(await destroyed()).toBe(1);
    await undeleteObject(needs, caller(), scope, [3]);
    expect((await get(APP)).data).toEqual({ A: "2", B: "1" });
    const metadata = await readObjectMetadata(needs, caller(), scope);
    expect(metadata.versions).toMatchObject([
      { revision: 1, destroyed: true },
      { revision: 2, destroyed: false },
      { revision: 3, destroyed: false },
    ]);
    await remove(APP);
    expect((await readObjectMetadata(needs, caller(), scope)).versions.every(({ deletedAt }) => deletedAt !== null)).toBe(true);
    await destroyObject(needs, caller(), scope, [2]);
    await undeleteObject(needs, caller(), scope, [4]);
    expect((await get(APP)).data).toEqual({ B: "1" });
    const actions = (await eventsOf(org)).map(({ action }) => action).filter((action) => /destroy|purge/.test(action));
    expect(actions).toEqual(["secret.destroy", "secret.purge", "secret.destroy", "secret.purge", "secret.destroy"]);
    expect(await problemOf(undeleteObject(needs, caller(), scope, [0]))).toBe("invalid-request");
  });
});

describe("what is said of an object", () => {
  it("needs no object, stays when it is written, and goes with all there is when it is purged", async () => {
    const org = newOrg();
    const { needs, caller, put, get } = await openObjects(org);
    await putObjectMetadata(needs, caller(), scope, { "managed-by": "external-secrets" });
    expect((await get(APP)).state).toMatchObject({ revision: 0, customMetadata: { "managed-by": "external-secrets" } });
    expect(await put(APP, { A: "1" }, 0)).toMatchObject({ revision: 1, customMetadata: { "managed-by": "external-secrets" } });
    await patchObjectMetadata(needs, caller(), scope, { "managed-by": null, team: "x" });
    const { state, versions, oldestRevision } = await readObjectMetadata(needs, caller(), scope);
    expect([state.revision, state.customMetadata, versions.length, oldestRevision]).toEqual([1, { team: "x" }, 1, 1]);
    expect(await problemOf(putObjectMetadata(needs, caller(), scope, { a: "x".repeat(513) }))).toBe("invalid-request");
    await purgeObject(needs, caller(), scope);
    expect(await problemOf(readObjectMetadata(needs, caller(), scope))).toBe("scope-not-found");
    expect(await put(APP, { A: "1" }, 0)).toMatchObject({ revision: 1 });
  });
});

describe("the revision of a scope", () => {
  it("goes up by one with every native call that changes what it gives, and with no other", async () => {
    const org = newOrg();
    const token = { org };
    const secrets = `/v1/scopes/${encodeURIComponent(APP)}`;
    const json = (value: object) => ({ token, json: value });
    let expected: number | null = null;
    const raises = async (by: 0 | 1, request: string, options: object = { token }) => {
      const reply = await call(request, options);
      expect([request, reply.status < 300, reply.text]).toEqual([request, true, reply.text]);
      if (by === 1) expected = (expected ?? 0) + 1;
      expect([request, await revisionOf(org)]).toEqual([request, expected]);
      return reply;
    };
    const { id } = (await raises(1, `PUT ${at(APP, "A")}`, json({ value: "1" }))).body;
    await raises(0, `PUT ${at(APP, "A")}`, json({ value: "1" }));
    await raises(1, "POST /v1/secrets", json({ scope: APP, name: "B", value: "1" }));
    await raises(1, `PATCH /v1/secrets/${id}`, json({ value: "2" }));
    await raises(0, `PATCH /v1/secrets/${id}`, json({ description: "what it is for" }));
    await raises(1, `PATCH /v1/secrets/${id}`, json({ locked: true }));
    await raises(1, `PATCH /v1/secrets/${id}`, json({ variable: false }));
    await raises(1, `POST /v1/secrets/${id}/rollback`, json({ version: 1 }));
    await raises(0, `DELETE /v1/secrets/${id}/versions/1`);
    await raises(0, "POST /v1/import?dry_run=true", json({ scope: APP, secrets: { C: "1", D: "1" } }));
    await raises(1, "POST /v1/import", json({ scope: APP, secrets: { C: "1", D: "1" } }));
    await raises(0, "POST /v1/import", json({ scope: APP, secrets: { C: "1", D: "1" } }));
    await raises(1, `DELETE ${at(APP, "A")}`);
    await raises(1, `POST /v1/secrets/${id}/undelete`);
    await raises(0, `POST /v1/secrets/${id}/undelete`);
    await raises(1, `DELETE /v1/secrets/${id}`);
    await raises(1, `PUT ${at(APP, "A")}`, json({ value: "1" }));
    await raises(1, `DELETE /v1/secrets/${id}?purge=true`);
    await raises(0, `PUT ${secrets}`, json({ parent: "namespace:prod" }));
    await raises(1, `DELETE ${secrets}?secrets=true`);
    await raises(1, `DELETE ${secrets}?secrets=true&purge=true`);
  });
});

describe("a list of objects", () => {
  it("has one level at a time, repositories bare and once, within the grant, a part at a time", async () => {
    const org = newOrg();
    const { needs, caller, put, remove } = await openObjects(org);
    for (const each of ["repo:app", "repo:app/one", "repo:app/two/x", "repo:app-2", "repo:Team/x", "team:pay", "global"]) await put(each, { A: "1" });
    await remove("repo:app-2");
    const list = async (prefix: string[], page = {}, who = caller()) => (await listObjects(needs, who, prefix, page)).rows;
    expect(await list([])).toEqual(["app", "app-2", "app/", "global", "repo/", "team/"]);
    expect(await list(["app"])).toEqual(["one", "two/"]);
    expect(await list(["app", "two"])).toEqual(["x"]);
    expect(await list(["team"])).toEqual(["pay"]);
    expect(await list(["repo"])).toEqual(["Team/"]);
    expect(await list(["repo", "Team"])).toEqual(["x"]);
    expect(await list(["namespace"])).toEqual([]);
    expect(await list(["Team"])).toEqual([]);
    expect(await listObjects(needs, caller(), [], { limit: 2 })).toEqual({ rows: ["app", "app-2"], next: "app-2" });
    expect(await list([], { after: "app-2", limit: 2 })).toEqual(["app/", "global"]);
    expect(await list([], { after: "app/" })).toEqual(["global", "repo/", "team/"]);
    const narrow = (await openObjects(org, { scopes: ["repo:app/*", "team:pay"] })).caller();
    expect(await list([], {}, narrow)).toEqual(["app/", "team/"]);
    expect(await list(["app"], {}, narrow)).toEqual(["one", "two/"]);
  });

  it("of a hundred thousand objects reads no more than the keys of its level", async () => {
    const org = newOrg();
    const { needs, caller } = await openObjects(org);
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < 100000)
       INSERT INTO scope_revisions (org, scope, revision, created_at, revised_at, updated_at) SELECT ?, 'repo:d' || (i % 3) || '/' || format('%06d', i), 1, 0, 0, 0 FROM n`,
    )
      .bind(org)
      .run();
    let read = 0;
    const db = {
      prepare: (sql: string) => env.DB.prepare(sql),
      batch: async (some: D1PreparedStatement[]) => {
        const results = await env.DB.batch(some);
        read += results.reduce((sum, { meta }) => sum + meta.rows_read, 0);
        return results;
      },
    } as unknown as D1Database;
    expect((await listObjects({ ...needs, db }, caller(), [])).rows).toEqual(["d0/", "d1/", "d2/"]);
    expect((await listObjects({ ...needs, db }, caller(), ["d1"], { limit: 10 })).rows.length).toBe(10);
    expect(read).toBeLessThan(200);
  });
});

describe("an object under a lease", () => {
  it("is given again as it is, and anew once it is written, or something else is said of it", async () => {
    const objects = await openObjects(newOrg());
    const by = objects.caller();
    let time = Date.now();
    let led = 0;
    const needs = { ...objects.needs, clock: () => time };
    const leases = leasesOf<LeasedAnswer<null>>({ ...needs });
    const ask = { leases, key: "k", seconds: 120 };
    const read = () =>
      answerLeased(needs, {
        ...ask,
        maxAge: 120,
        again: async ({ answer: { values, findings } }) => {
          const release = await releaseAgain(needs.keyring, values, findings);
          return release && readObject(release, by).state;
        },
        compare: (lease) => compareAnswer(needs, leases, lease),
        lead: async () => {
          led++;
          const { selection, lease } = await resolveLeased({ ...needs, now: new Date(time) }, by, objectRequest(scope), ask);
          return releaseSecrets(needs, selection, async (release) => {
            await lease?.keep(null, release.secrets);
            return readObject(release, by).state;
          });
        },
      });
    const later = () => {
      time += 20_000;
    };
    await objects.put(APP, { A: "1" });
    expect([(await read()).revision, (await read()).revision, led]).toEqual([1, 1, 1]);
    later();
    expect([(await read()).revision, led]).toEqual([1, 1]);
    await objects.put(APP, { A: "2" });
    later();
    expect([(await read()).revision, led]).toEqual([2, 2]);
    await putObjectMetadata(objects.needs, by, scope, { team: "x" });
    later();
    expect([(await read()).customMetadata, led]).toEqual([{ team: "x" }, 3]);
  });
});

describe("an object by any sequence of calls", () => {
  it("is what a simple model says", async () => {
    const keys = ["A", "b-c", "2fa"] as const;
    const values = fc.dictionary(fc.constantFrom(...keys), fc.constantFrom("1", "2", ""), { noNullPrototype: true });
    const step = fc.oneof(
      fc.record({ do: fc.constant("put" as const), values, stale: fc.boolean() }),
      fc.record({
        do: fc.constant("patch" as const),
        values: fc.dictionary(fc.constantFrom(...keys), fc.constantFrom("1", "2", null), { noNullPrototype: true }),
      }),
      fc.record({ do: fc.constant("remove" as const) }),
      fc.record({ do: fc.constant("undelete" as const), back: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ do: fc.constant("destroy" as const), back: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ do: fc.constant("set" as const), value: fc.constantFrom("1", "2") }),
      fc.record({ do: fc.constant("expire" as const), value: fc.constantFrom("1", "2") }),
      fc.record({ do: fc.constant("lock" as const), locked: fc.boolean() }),
      fc.record({ do: fc.constant("delete" as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const org = newOrg();
        const token = { org };
        const { needs, caller, put: replace, patch, remove, get } = await openObjects(org);
        type Model = Readonly<Record<string, { readonly value: string; readonly expired: boolean }>>;
        let live: Model = {};
        let gone: { at: number; key: string; was: Model[string] }[] = [];
        let revision = 0;
        let emptied = -1;
        let locked = false;
        const raise = (next: Model, { whole = false, always = false } = {}) => {
          const changed = JSON.stringify(Object.entries(next).sort()) !== JSON.stringify(Object.entries(live).sort());
          if (!changed && !always) return;
          revision++;
          if (whole) emptied = revision;
          for (const key of Object.keys(next)) gone = gone.filter((one) => one.key !== key);
          for (const [key, was] of Object.entries(live)) if (!(key in next)) gone.push({ at: revision, key, was });
          live = next;
        };
        const entries = (given: Readonly<Record<string, string | null>>): Model =>
          Object.fromEntries(Object.entries(given).flatMap(([key, value]) => (value === null ? [] : [[key, { value, expired: false }]])));
        // What a read does not show: a replacement that does not name it leaves it alone.
        const isHidden = (key: string) => live[key]?.expired === true || (locked && key === "A");
        for (const one of steps) {
          if (one.do === "put" && one.stale) expect(await problemOf(replace(APP, one.values, revision + 1))).toBe("version-conflict");
          else if (one.do === "put") {
            const kept = Object.fromEntries(Object.entries(live).filter(([key]) => isHidden(key)));
            const refused = locked && "A" in one.values;
            expect(await problemOf(replace(APP, one.values, revision))).toBe(refused ? "name-locked" : "done");
            const next = { ...kept, ...entries(one.values) };
            if (!refused) raise(next, { whole: Object.keys(next).length === 0 });
          } else if (one.do === "patch") {
            const refused = locked && typeof one.values.A === "string" ? "name-locked" : "done";
            const expected = Object.keys(live).length === 0 ? "secret-not-found" : refused;
            expect(await problemOf(patch(APP, one.values))).toBe(expected);
            const rest = Object.fromEntries(Object.entries(live).filter(([key]) => !(key in one.values)));
            if (expected === "done") raise({ ...rest, ...entries(one.values) });
          } else if (one.do === "remove") {
            await remove(APP);
            raise({}, { whole: true });
          } else if (one.do === "undelete") {
            const version = Math.max(1, revision - one.back);
            const [meant] = deletionsMeant([version], emptied, new Set(gone.map(({ at }) => at)));
            const back = gone.filter(({ at }) => at === meant);
            const refused = locked && back.some(({ key }) => key === "A");
            expect(await problemOf(undeleteObject(needs, caller(), scope, [version]))).toBe(refused ? "name-locked" : "done");
            if (!refused) raise({ ...live, ...Object.fromEntries(back.map(({ key, was }) => [key, was])) });
          } else if (one.do === "destroy") {
            const current = await env.DB.prepare(
              "SELECT v.scope_revision, s.deleted_at IS NULL AS live FROM secrets s JOIN versions v ON v.secret_id = s.id AND v.version = s.version WHERE s.org = ? AND s.scope = ?",
            )
              .bind(org, APP)
              .all<{ scope_revision: number; live: 0 | 1 }>();
            const version = Math.max(1, revision - one.back);
            const hit = current.results.filter(({ scope_revision }) => scope_revision === version);
            const expected = hit.some((each) => each.live === 1) ? "version-conflict" : "done";
            // What would come back with it is another matter: here only older values go.
            if (hit.length === 0 || expected !== "done") expect(await problemOf(destroyObject(needs, caller(), scope, [version]))).toBe(expected);
            // What the revision deleted at once does not come back.
            if (hit.length === 0 && version === emptied) gone = gone.filter(({ at }) => at !== version);
          } else if (one.do === "set") {
            const { status } = await put(APP, "A", one.value, { token });
            expect(status < 300).toBe(!locked);
            if (!locked) raise({ ...live, A: { value: one.value, expired: live.A?.expired ?? false } });
          } else if (one.do === "expire") {
            const { status } = await putExpired(APP, "A", one.value, { token });
            expect(status < 300).toBe(!locked);
            if (!locked) raise({ ...live, A: { value: one.value, expired: true } }, { always: true });
          } else if (one.do === "lock") {
            locked = one.locked;
            await put("global", "A", "wide", { token, fields: { locked } });
          } else {
            const { status } = await call(`DELETE ${at(APP, "A")}`, { token });
            expect(status).toBe("A" in live ? 204 : 404);
            const { A: _, ...rest } = live;
            raise(rest);
          }
          const read = await get(APP);
          const shown = Object.fromEntries(Object.entries(live).flatMap(([key, { value }]) => (isHidden(key) ? [] : [[key, value]])));
          expect([read.data, read.state.revision]).toEqual([shown, revision]);
        }
      }),
      { numRuns: 16 },
    );
  });
});
