import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { settleCiphertexts } from "../../src/worker/secrets/settle-ciphertexts.ts";
import { at, type CallOptions, call, put, type Reply } from "../support/call.ts";
import { resolvedValue } from "../support/resolved-value.ts";

const MINUTE = 60_000;
const settle = (minutes: number) => settleCiphertexts({ db: env.DB, kv: env.KV, now: new Date(Date.now() + minutes * MINUTE) });
const rollback = (id: string, version: unknown, options: CallOptions = {}) => call(`POST /v1/secrets/${id}/rollback`, { ...options, json: { version } });
const destroy = (id: string, version: unknown, options: CallOptions = {}) => call(`DELETE /v1/secrets/${id}/versions/${version}`, options);
const refused = ({ status, body }: Reply) => [status, body.code];

interface Listed {
  readonly version: number;
  readonly state: string;
}

async function states(id: string): Promise<string[]> {
  const { body } = await call(`GET /v1/secrets/${id}/versions?limit=200`);
  return body.versions.map(({ version, state }: Listed) => `${version} ${state}`);
}

/** Sets values one after the other; returns the secret's id. */
async function putAll(name: string, values: readonly string[]): Promise<string> {
  let id = "";
  for (const value of values) id = (await put("global", name, value)).body.id;
  return id;
}

const kvKeysOf = async (id: string) =>
  (
    await env.DB.prepare("SELECT kv_key FROM versions WHERE secret_id = ? AND kv_key IS NOT NULL ORDER BY version").bind(id).all<{ kv_key: string }>()
  ).results.map(({ kv_key }) => kv_key);
const noted = async (keys: readonly string[]) =>
  env.DB.prepare("SELECT COUNT(*) AS n FROM kv_removals WHERE kv_key IN (SELECT value FROM json_each(?))").bind(JSON.stringify(keys)).first("n");
const inKv = async (key: string) => (await env.KV.list({ prefix: key })).keys.length === 1;

afterEach(() => vi.restoreAllMocks());

describe("the list of versions", () => {
  it("is newest first, says who wrote each when, and shows no value", async () => {
    const id = await putAll("LISTED", ["listed-value-1", "listed-value-2", "listed-value-3"]);
    await destroy(id, 1);
    const { status, body, text } = await call(`GET /v1/secrets/${id}/versions`);
    expect(status).toBe(200);
    expect(body.next_cursor).toBeNull();
    const version = (n: number, state: string) => ({
      version: n,
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      created_by: "tester",
      state,
      store_version: null,
    });
    expect(body.versions).toEqual([version(3, "current"), version(2, "previous"), version(1, "destroyed")]);
    expect(text).not.toContain("listed-value");
  });

  it.each([1, 2, 3, 7])("gives every version once in pages of %i", async (limit) => {
    const id = await putAll(`PAGED_${limit}`, ["1", "2", "3", "4", "5", "6", "7"]);
    const seen: number[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const { body }: Reply = await call(`GET /v1/secrets/${id}/versions?limit=${limit}${cursor && `&cursor=${cursor}`}`);
      expect(body.versions.length).toBeLessThanOrEqual(limit);
      seen.push(...body.versions.map(({ version }: Listed) => version));
      cursor = body.next_cursor;
    }
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });

  it.each(["cursor=x", "cursor=e30", "limit=0", "limit=201", "before=2"])("refuses %s with 400", async (query) => {
    const id = await putAll("LIST_BAD", ["1"]);
    expect((await call(`GET /v1/secrets/${id}/versions?${query}`)).status).toBe(400);
  });

  it("of no secret is 404", async () => {
    expect(refused(await call("GET /v1/secrets/sec_none/versions"))).toEqual([404, "secret-not-found"]);
  });
});

describe("a rollback", () => {
  it("makes an older value current as a new version, and shows it to nobody", async () => {
    const id = await putAll("BACK", ["back-value-1", "back-value-2"]);
    const reply = await rollback(id, 1);
    expect([reply.status, reply.body.version, reply.body.changed]).toEqual([200, 3, true]);
    expect(reply.text).not.toContain("back-value");
    expect(await resolvedValue("BACK")).toBe("back-value-1");
    expect(await states(id)).toEqual(["3 current", "2 previous", "1 previous"]);
    expect((await call(`GET /v1/secrets/${id}`)).headers.get("ETag")).toBe(reply.headers.get("ETag"));
  });

  it("keeps the metadata of the secret, and counts as a rotation", async () => {
    const fields = { description: "d", labels: { a: "b" }, expires_at: "2999-01-01T00:00:00.000Z", rotate_after_days: 1 };
    const { body } = await put("global", "BACK_FIELDS", "1", { fields });
    await put("global", "BACK_FIELDS", "2");
    await env.DB.prepare("UPDATE secrets SET rotated_at = 0 WHERE id = ?").bind(body.id).run();
    expect((await call(`GET /v1/secrets/${body.id}`)).body.rotation_due).toBe(true);
    expect((await rollback(body.id, 1)).body).toMatchObject({ ...fields, rotation_due: false });
  });

  it("brings back text and bytes in their own encodings", async () => {
    const id = await putAll("BACK_BYTES", ["text"]);
    await call(`PUT ${at("global", "BACK_BYTES")}`, { body: Uint8Array.from([0xff, 0]), headers: { "Content-Type": "application/octet-stream" } });
    expect((await rollback(id, 1)).body).toMatchObject({ version: 3, encoding: "utf8" });
    expect(await resolvedValue("BACK_BYTES")).toBe("text");
    expect((await rollback(id, 2)).body).toMatchObject({ version: 4, encoding: "base64" });
    expect(await resolvedValue("BACK_BYTES")).toBe(Uint8Array.from([0xff, 0]).toBase64());
  });

  it("to the current value changes nothing", async () => {
    const id = await putAll("BACK_SAME", ["a", "b", "a"]);
    for (const version of [3, 1]) expect((await rollback(id, version)).body).toMatchObject({ version: 3, changed: false });
    expect(await states(id)).toHaveLength(3);
  });

  it.each([4, 1_000_000, 1])("to version %i, which is not there or destroyed, is 404", async (version) => {
    const id = await putAll("BACK_NONE", ["a", "b", "c"]);
    await destroy(id, 1);
    expect(refused(await rollback(id, version))).toEqual([404, "version-not-found"]);
    expect(await resolvedValue("BACK_NONE")).toBe("c");
    await call(`DELETE ${at("global", "BACK_NONE")}`);
  });

  it.each([0, -1, 1.5, "1", null, undefined])("to version %j is 400", async (version) => {
    const id = await putAll("BACK_BAD", ["a"]);
    expect((await rollback(id, version)).body.errors[0].pointer).toBe("/version");
  });

  it("finds values that are in KV alone", async () => {
    const id = await putAll("BACK_KV", ["kv-1", "kv-2"]);
    await settle(2);
    expect((await settle(10)).cleared).toBeGreaterThanOrEqual(2);
    expect((await rollback(id, 1)).status).toBe(200);
    expect(await resolvedValue("BACK_KV")).toBe("kv-1");
  });

  it("is 503, and no loss, while its value cannot be read", async () => {
    const id = await putAll("BACK_LOST", ["1", "2"]);
    await settle(2);
    await settle(10);
    const get = vi.spyOn(env.KV, "get").mockRejectedValue(new Error("KV is down"));
    expect(refused(await rollback(id, 1))).toEqual([503, "storage-unavailable"]);
    get.mockRestore();
    expect((await rollback(id, 1)).status).toBe(200);
  });

  it("with a stale If-Match is 412, with the current one goes through", async () => {
    const first = await put("global", "BACK_MATCH", "1");
    const second = await put("global", "BACK_MATCH", "2");
    const tag = ({ headers }: Reply) => ({ headers: { "If-Match": headers.get("ETag") ?? "" } });
    expect(refused(await rollback(first.body.id, 1, tag(first)))).toEqual([412, "version-conflict"]);
    expect((await rollback(first.body.id, 1, tag(second))).status).toBe(200);
  });
});

describe("destroying a version", () => {
  it("takes its keys and its ciphertext, notes it for removal from KV, and leaves its number", async () => {
    const id = await putAll("GONE", ["1", "2"]);
    await settle(2);
    const [key = ""] = await kvKeysOf(id);
    expect((await destroy(id, 1)).status).toBe(204);
    const row = await env.DB.prepare("SELECT key_id, wrapped_key, ciphertext, kv_key FROM versions WHERE secret_id = ? AND version = 1").bind(id).first();
    expect(row).toEqual({ key_id: null, wrapped_key: null, ciphertext: null, kv_key: null });
    expect(await states(id)).toEqual(["2 current", "1 destroyed"]);
    expect([await noted([key]), await inKv(key)]).toEqual([1, true]);
    await settle(60);
    expect([await noted([key]), await inKv(key)]).toEqual([0, false]);
    expect(await resolvedValue("GONE")).toBe("2");
  });

  it("is refused for the current one with 412, and may be repeated for another", async () => {
    const id = await putAll("GONE_TWICE", ["1", "2"]);
    expect(refused(await destroy(id, 2))).toEqual([412, "version-conflict"]);
    expect((await destroy(id, 1)).status).toBe(204);
    const { headers } = await call(`GET /v1/secrets/${id}`);
    expect((await destroy(id, 1)).status).toBe(204);
    expect((await call(`GET /v1/secrets/${id}`)).headers.get("ETag")).toBe(headers.get("ETag"));
    expect(await resolvedValue("GONE_TWICE")).toBe("2");
  });

  it.each<[unknown, number]>([
    [3, 404],
    [9e15, 404],
    [0, 400],
    ["x", 400],
    [1.5, 400],
  ])("numbered %s is %i", async (version, status) => {
    expect((await destroy(await putAll("GONE_NONE", ["1", "2"]), version)).status).toBe(status);
  });

  it("of no secret is 404", async () => {
    expect(refused(await destroy("sec_none", 1))).toEqual([404, "secret-not-found"]);
  });

  it("honors If-Match", async () => {
    const id = await putAll("GONE_MATCH", ["1", "2"]);
    expect((await destroy(id, 1, { headers: { "If-Match": '"other"' } })).status).toBe(412);
    expect(await states(id)).toEqual(["2 current", "1 previous"]);
  });
});

describe("only the newest ten versions", () => {
  it("are kept: the write that exceeds them destroys the oldest in its own transaction", async () => {
    const id = await putAll(
      "PRUNED",
      Array.from({ length: 10 }, (_, n) => `${n}`),
    );
    await settle(2);
    const [oldest = ""] = await kvKeysOf(id);
    const batch = vi.spyOn(env.DB, "batch");
    await put("global", "PRUNED", "ten");
    // The first reads the secret, the second is all of the write, the third records the put into KV.
    await vi.waitFor(() => expect(batch).toHaveBeenCalledTimes(3), { interval: 5 });
    expect((await states(id)).slice(-2)).toEqual(["2 previous", "1 destroyed"]);
    expect([await noted([oldest]), (await kvKeysOf(id)).length]).toEqual([1, 10]);
    expect(refused(await rollback(id, 1))).toEqual([404, "version-not-found"]);
    await settle(60);
    expect(await inKv(oldest), "D1 can be restored to a time at which it was needed").toBe(true);
    await settle(31 * 24 * 60);
    expect(await inKv(oldest)).toBe(false);
  });

  it("are kept by a rollback and an import too", async () => {
    const id = await putAll(
      "PRUNED_TOO",
      Array.from({ length: 10 }, (_, n) => `${n}`),
    );
    await rollback(id, 1);
    await call("POST /v1/import", { json: { scope: "global", secrets: { PRUNED_TOO: "imported" } } });
    expect(await states(id)).toEqual(["12 current", ...Array.from({ length: 9 }, (_, n) => `${11 - n} previous`), "2 destroyed", "1 destroyed"]);
  });

  it("stay as they are when the write does not go through", async () => {
    const id = await putAll(
      "PRUNED_NOT",
      Array.from({ length: 10 }, (_, n) => `${n}`),
    );
    await env.DB.prepare("CREATE TRIGGER broken BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'no audit today'); END").run();
    expect((await put("global", "PRUNED_NOT", "ten")).status).toBe(503);
    await env.DB.prepare("DROP TRIGGER broken").run();
    expect((await kvKeysOf(id)).length).toBe(10);
    expect(await states(id)).not.toContain("1 destroyed");
  });
});

describe("at the same time", () => {
  const twenty = Array.from({ length: 20 }, (_, n) => `value ${n}`);

  it("twenty writers without a condition all get a version of their own, without gaps", async () => {
    const replies = await Promise.all(twenty.map((value) => put("global", "CROWD", value)));
    expect(replies.map(({ body }) => body.version).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    const id = replies[0]?.body.id;
    expect((await states(id)).map((state) => Number.parseInt(state, 10))).toEqual(Array.from({ length: 20 }, (_, n) => 20 - n));
    for (const version of [11, 19]) {
      await rollback(id, version);
      expect(await resolvedValue("CROWD")).toBe(twenty[replies.findIndex(({ body }) => body.version === version)]);
    }
  });

  const writers: Record<string, (name: string, id: string, n: number, options: CallOptions) => Promise<Reply>> = {
    PUT: (name, _, n, options) => put("global", name, `new ${n}`, options),
    PATCH: (_, id, n, options) => call(`PATCH /v1/secrets/${id}`, { ...options, json: { value: `new ${n}` } }),
    rollback: (_, id, n, options) => rollback(id, 1 + (n % 3), options),
  };

  it.each(Object.entries(writers))("of twenty with the same If-Match exactly one %s goes through", async (label, write) => {
    const id = await putAll(`ONE_${label}`, ["1", "2", "3", "4"]);
    const tag = (await call(`GET /v1/secrets/${id}`)).headers.get("ETag") ?? "";
    const replies = await Promise.all(twenty.map((_, n) => write(`ONE_${label}`, id, n, { headers: { "If-Match": tag } })));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(412)]);
    expect(await states(id)).toHaveLength(5);
  });

  it("a rollback and the destruction of its version leave either both done or the rollback refused", async () => {
    for (let n = 0; n < 10; n++) {
      const name = `RACE_${n}`;
      const id = await putAll(name, ["old", "new"]);
      const [rolled, destroyed] = await Promise.all(n % 2 ? [rollback(id, 1), destroy(id, 1)] : [destroy(id, 1), rollback(id, 1)].toReversed());
      expect(destroyed?.status).toBe(204);
      expect([200, 404]).toContain(rolled?.status);
      expect(await resolvedValue(name)).toBe(rolled?.status === 200 ? "old" : "new");
      expect((await states(id)).at(-1)).toBe("1 destroyed");
    }
  });

  it("a write that comes between a rollback's reading and writing is not lost", async () => {
    const id = await putAll("BETWEEN", ["1", "2"]);
    const batch = env.DB.batch.bind(env.DB);
    let calls = 0;
    vi.spyOn(env.DB, "batch").mockImplementation((async (statements: D1PreparedStatement[]) => {
      // The third batch is the rollback's write.
      if (++calls === 3) await destroy(id, 1);
      return batch(statements);
    }) as typeof env.DB.batch);
    expect(refused(await rollback(id, 1))).toEqual([404, "version-not-found"]);
    expect(await resolvedValue("BETWEEN")).toBe("2");
  });
});
