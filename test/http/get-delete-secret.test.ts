import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { at, call, put, resolve } from "../support/call.ts";

describe("a secret's metadata", () => {
  it("is the same by name and by id, with the ETag of the write and no value", async () => {
    const set = await put("repo:acme/api", "META", "hidden-value");
    const { changed, ...metadata } = set.body;
    expect(changed).toBe(true);
    for (const path of [at("repo:acme/api", "META"), `/v1/secrets/${set.body.id}`]) {
      const got = await call(`GET ${path}`);
      expect(got.status).toBe(200);
      expect(got.body).toEqual(metadata);
      expect(got.headers.get("ETag")).toBe(set.headers.get("ETag"));
      expect(got.text).not.toContain("hidden-value");
    }
  });

  it("is asked for with HEAD too, without a body", async () => {
    const set = await put("global", "HEADED", "v");
    const head = await call(`HEAD ${at("global", "HEADED")}`);
    expect(head.status).toBe(200);
    expect(head.headers.get("ETag")).toBe(set.headers.get("ETag"));
    expect(head.text).toBe("");
    expect((await call(`HEAD ${at("global", "NOT_THERE")}`)).status).toBe(404);
  });

  it("says that rotation is due when the value is older than it may be", async () => {
    const set = await put("global", "ROTATED", "v", { fields: { rotate_after_days: 10 } });
    expect(set.body.rotation_due).toBe(false);
    await env.DB.prepare("UPDATE secrets SET rotated_at = rotated_at - 10 * 86400000 WHERE id = ?").bind(set.body.id).run();
    expect((await call(`GET ${at("global", "ROTATED")}`)).body.rotation_due).toBe(true);
    expect((await put("global", "ROTATED", "new")).body.rotation_due).toBe(false);
  });

  it.each([at("global", "ABSENT"), "/v1/secrets/sec_absent"])("is 404 at %s", async (path) => {
    for (const method of ["GET", "DELETE"]) {
      const { status, body } = await call(`${method} ${path}`);
      expect([status, body.code]).toEqual([404, "secret-not-found"]);
    }
  });
});

describe("DELETE", () => {
  it.each(["name", "id"])("by %s takes the secret away at once", async (by) => {
    const name = `GONE_${by}`;
    const set = await put("global", name, "v");
    const path = by === "name" ? at("global", name) : `/v1/secrets/${set.body.id}`;
    const deleted = await call(`DELETE ${path}`);
    expect([deleted.status, deleted.text]).toEqual([204, ""]);
    expect((await call(`GET ${path}`)).status).toBe(404);
    expect((await resolve({ names: [name] })).status).toBe(404);
    expect((await call(`DELETE ${path}`)).status).toBe(404);
  });

  it("with purge takes all versions and their wrapped keys in the same step, and notes every ciphertext for removal", async () => {
    const set = await put("global", "MANY", "1");
    await put("global", "MANY", "2");
    const { results } = await env.DB.prepare("SELECT kv_key FROM versions WHERE secret_id = ?").bind(set.body.id).all<{ kv_key: string }>();
    expect(results).toHaveLength(2);
    expect((await call(`DELETE ${at("global", "MANY")}?purge=true`)).headers.get("Keyhole-Deleted-Until")).toBeNull();
    const left = await env.DB.prepare("SELECT COUNT(*) FROM versions WHERE secret_id = ?").bind(set.body.id).first("COUNT(*)");
    expect(left).toBe(0);
    for (const { kv_key } of results) expect(await env.DB.prepare("SELECT kv_key FROM kv_removals WHERE kv_key = ?").bind(kv_key).first()).not.toBeNull();
  });

  it("with purge lets the name be used again, as another secret from version 1", async () => {
    const first = await put("global", "AGAIN", "v");
    await call(`DELETE ${at("global", "AGAIN")}?purge=true`);
    const second = await put("global", "AGAIN", "v");
    expect(second.status).toBe(201);
    expect(second.body.version).toBe(1);
    expect(second.body.id).not.toBe(first.body.id);
    expect(second.headers.get("ETag")).not.toBe(first.headers.get("ETag"));
  });
});
