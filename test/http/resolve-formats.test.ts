import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { at, call, put, resolve } from "../support/call.ts";

afterEach(() => vi.restoreAllMocks());

const BYTES = Uint8Array.from({ length: 256 }, (_, n) => n);

describe("GET /v1/resolve/{name}", () => {
  it("gives one secret of the scopes in the query", async () => {
    const { body } = await put("team:t", "SINGLE", "from team");
    await put("global", "SINGLE", "from global");
    const one = await call("GET /v1/resolve/SINGLE?scope=repo%3Aa%2Fb&scope=team:t");
    expect(one.body).toEqual({ name: "SINGLE", value: "from team", encoding: "utf8", scope: "team:t", id: body.id, version: 1 });
    expect((await call("GET /v1/resolve/SINGLE")).body.scope).toBe("global");
    expect(one.headers.get("Cache-Control")).toBe("no-store");
  });

  it("with format=raw replies the exact bytes and what they are", async () => {
    await call(`PUT ${at("global", "RAW_BYTES")}`, { body: BYTES, headers: { "Content-Type": "application/octet-stream" } });
    const bytes = await call("GET /v1/resolve/RAW_BYTES?format=raw");
    expect(bytes.headers.get("Content-Type")).toBe("application/octet-stream");
    expect(bytes.bytes).toEqual(BYTES);
    const text = "\ufeffé\r\n";
    await put("global", "RAW_TEXT", text);
    const plain = await call("GET /v1/resolve/RAW_TEXT?format=raw");
    expect(plain.headers.get("Content-Type")).toBe("text/plain; charset=utf-8");
    expect(plain.bytes).toEqual(new TextEncoder().encode(text));
  });

  it.each(["ABSENT", "1x", "ABSENT?format=dotenv", "ABSENT?scope=team:a&scope=team:b", "ABSENT?scopes=global", "ABSENT?format=raw&x=1"])(
    "refuses %s",
    async (rest) => {
      const { status } = await call(`GET /v1/resolve/${rest}`);
      expect(status).toBe(rest === "ABSENT" ? 404 : 400);
    },
  );
});

describe("format=env", () => {
  it("maps environment names to values, bytes as base64", async () => {
    const token = { org: "env-format" };
    await put("global", "openai-api.key", "sk", { token });
    await put("global", "BYTES", BYTES.toBase64(), { token, fields: { encoding: "base64" } });
    const { body, headers } = await call("POST /v1/resolve?format=env", { token, json: { names: ["openai-api.key", "BYTES"] } });
    expect(body).toEqual({ OPENAI_API_KEY: "sk", BYTES: BYTES.toBase64() });
    expect(headers.get("Content-Type")).toMatch(/^application\/json/);
  });

  it.each(["env", "dotenv"])("and dotenv: as %s two secrets with one environment name are 409, but not as json", async (format) => {
    const token = { org: `conflict-${format}` };
    await put("global", "some-key", "1", { token });
    await put("team:t", "SOME_KEY", "2", { token });
    const { status, body } = await call(`POST /v1/resolve?format=${format}`, { token, json: { scopes: ["team:t"] } });
    expect([status, body.code]).toEqual([409, "env-name-conflict"]);
    const asJson = await resolve({ scopes: ["team:t"], names: ["some-key", "SOME_KEY"] }, { token });
    expect(Object.keys(asJson.body.secrets).sort()).toEqual(["SOME_KEY", "some-key"]);
  });

  it("as dotenv is text", async () => {
    const token = { org: "dotenv-format" };
    await put("global", "dot-key", "it's", { token });
    const { text, headers } = await call("POST /v1/resolve?format=dotenv", { token, json: { names: ["dot-key"] } });
    expect([text, headers.get("Content-Type")?.toLowerCase()]).toEqual(['DOT_KEY="it\'s"\n', "text/plain; charset=utf-8"]);
  });

  it.each(["yaml", "raw", ""])("%j is not a format of POST", async (format) => {
    expect((await call(`POST /v1/resolve?format=${format}`, { json: {} })).status).toBe(400);
  });
});

describe("the ETag of a resolve", () => {
  const tagOf = async (request: object, query = "") => (await call(`POST /v1/resolve${query}`, { json: request })).headers.get("ETag") ?? "";

  it("gives 304 without reading or decrypting anything", async () => {
    await put("global", "TAGGED", "v");
    const tag = await tagOf({ names: ["TAGGED"] });
    const decrypt = vi.spyOn(crypto.subtle, "decrypt");
    const get = vi.spyOn(env.KV, "get");
    for (const header of [tag, `"x", ${tag}`, `W/${tag}`]) {
      const same = await resolve({ names: ["TAGGED"] }, { headers: { "If-None-Match": header } });
      expect([same.status, same.text, same.headers.get("ETag")]).toEqual([304, "", tag]);
    }
    expect([decrypt.mock.calls.length, get.mock.calls.length]).toEqual([0, 0]);
    await resolve({ names: ["TAGGED"] }, { headers: { "If-None-Match": '"other"' } });
    expect(decrypt).toHaveBeenCalledTimes(1);
  });

  it("stays while nothing changes, and is another for anything else that is resolved", async () => {
    await put("global", "TAG_A", "v");
    await put("team:t", "TAG_B", "v");
    const tags = [
      await tagOf({ names: ["TAG_A"] }),
      await tagOf({ names: ["TAG_A"] }, "?format=env"),
      await tagOf({ names: ["TAG_A"] }, "?format=dotenv"),
      await tagOf({ names: ["TAG_A"], scopes: ["team:t"] }),
      await tagOf({ names: ["TAG_A", "TAG_B"], scopes: ["team:t"] }),
      await tagOf({ names: ["TAG_A", "TAG_C"], allow_missing: true }),
    ];
    expect(new Set(tags).size).toBe(tags.length);
    await put("global", "TAG_A", "v", { fields: { description: "said of it" } });
    expect(await tagOf({ names: ["TAG_A"] })).toBe(tags[0]);
    await put("global", "TAG_A", "v2");
    expect(await tagOf({ names: ["TAG_A"] })).not.toBe(tags[0]);
  });

  it("is another after the secret was deleted and set to the same value again", async () => {
    await put("global", "TAG_AGAIN", "v");
    const before = await tagOf({ names: ["TAG_AGAIN"] });
    await call(`DELETE ${at("global", "TAG_AGAIN")}`);
    await put("global", "TAG_AGAIN", "v");
    expect(await tagOf({ names: ["TAG_AGAIN"] })).not.toBe(before);
  });

  it("works for one name too, and never hides an expiry", async () => {
    await put("global", "TAG_ONE", "v");
    const one = await call("GET /v1/resolve/TAG_ONE");
    const headers = { "If-None-Match": one.headers.get("ETag") ?? "" };
    expect((await call("GET /v1/resolve/TAG_ONE", { headers })).status).toBe(304);
    await put("global", "TAG_ONE", "v", { fields: { expires_at: "2020-01-01T00:00:00Z" } });
    expect((await call("GET /v1/resolve/TAG_ONE", { headers })).status).toBe(410);
  });

  it("malformed in If-None-Match is 400", async () => {
    expect((await resolve({ allow_missing: true }, { headers: { "If-None-Match": "bare" } })).status).toBe(400);
  });
});

describe("many secrets", () => {
  it("are resolved 500 at once, and 501 are 413 with nothing released", async () => {
    const token = { org: "many" };
    const values = Array.from({ length: 500 }, (_, n) => `many-value-${n}`);
    await Promise.all(values.map((value, n) => put("global", `N${n}`, value, { token })));
    const { body } = await call("POST /v1/resolve?format=env", { token });
    expect(body).toEqual(Object.fromEntries(values.map((value, n) => [`N${n}`, value])));
    await put("global", "ONE_TOO_MANY", "many-value", { token });
    const { status, body: problem, text } = await resolve({}, { token });
    expect([status, problem.code]).toEqual([413, "too-many-secrets"]);
    expect(text).not.toContain("many-value");
    expect((await resolve({ names: ["ONE_TOO_MANY"] }, { token })).status).toBe(200);
  });
});
