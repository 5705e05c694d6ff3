import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { parseLeftOut } from "../../src/contract/left-out.ts";
import { at, call, put, resolve } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { eventsOf } from "../support/events-of.ts";
import { putExpired } from "../support/put-expired.ts";

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

  it("refuses HEAD, and puts nothing on record", async () => {
    const token = { org: "heads" };
    await put("global", "HEADED", "v", { token });
    const before = await eventsOf(token.org);
    for (const path of ["/v1/resolve/HEADED", "/v1/resolve/HEADED?format=raw", "/v1/resolve/NOWHERE"]) {
      const { status, text, headers } = await call(`HEAD ${path}`, { token });
      expect([status, text, headers.get("Allow")]).toEqual([405, "", "GET"]);
    }
    expect((await call("HEAD /v1/resolve", { token })).headers.get("Allow")).toBe("POST");
    expect(await eventsOf(token.org)).toEqual(before);
    expect((await call("HEAD /v1/explain/HEADED", { token })).status).toBe(200);
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

  it.each([
    ["env", '{"SOME_KEY":"nearer"}'],
    ["dotenv", "SOME_KEY='nearer'\n"],
  ])("and dotenv: as %s of two names with one environment name the one in the most specific scope wins, and as json both are there", async (format, want) => {
    const token = { org: `conflict-${format}` };
    await put("global", "SOME_KEY", "wider", { token });
    await put("team:t", "some-key", "nearer", { token });
    for (const request of [{ scopes: ["team:t"] }, { scopes: ["team:t"], names: ["SOME_KEY", "some-key"] }]) {
      const { status, text } = await call(`POST /v1/resolve?format=${format}`, { token, json: request });
      expect([status, text]).toEqual([200, want]);
    }
    expect((await eventsOf(token.org)).at(-1)?.secrets.map(({ name }) => name)).toEqual(["some-key"]);
    await putExpired("team:t", "some-key", "nearer", { token });
    const expired = await call(`POST /v1/resolve?format=${format}`, { token, json: { scopes: ["team:t"] } });
    expect([expired.status, expired.text.trim().replace("{}", "")], "an expired winner is not replaced by a wider name").toEqual([200, ""]);
    expect(expired.headers.get("Keyhole-Left-Out")).toBe('"some-key";reason=expired');
    await put("team:t", "some-key", "nearer", { token, fields: { expires_at: null } });
    const asJson = await resolve({ scopes: ["team:t"], names: ["some-key", "SOME_KEY"] }, { token });
    expect(Object.keys(asJson.body.secrets).sort()).toEqual(["SOME_KEY", "some-key"]);
  });

  it("and dotenv leave out a variable that is reserved, say so, and do not record it; as json it is there and listed", async () => {
    const token = { org: "reserving" };
    await put("global", "custom-one", "1", { token });
    await put("global", "CUSTOMS", "2", { token });
    const later = callWith({ RESERVED_NAMES: "CUSTOM_* FLY_*" });
    for (const [format, want] of [
      ["env", '{"CUSTOMS":"2"}'],
      ["dotenv", "CUSTOMS='2'\n"],
    ]) {
      for (const json of [{}, { names: ["custom-one", "CUSTOMS"] }]) {
        const reply = await later(`POST /v1/resolve?format=${format}`, { token, json });
        expect([reply.status, reply.text, reply.headers.get("Keyhole-Left-Out")]).toEqual([200, want, '"custom-one";reason=skipped']);
        expect((await eventsOf(token.org)).at(-1)?.secrets.map(({ name }) => name)).toEqual(["CUSTOMS"]);
      }
    }
    const { body, headers } = await later("POST /v1/resolve", { token, json: {} });
    expect([Object.keys(body.secrets), body.skipped, headers.get("Keyhole-Left-Out")]).toEqual([["CUSTOMS", "custom-one"], ["custom-one"], null]);
    expect((await resolve({}, { token })).body.skipped).toBeUndefined();
    expect(headers.get("ETag")).not.toBe((await resolve({}, { token })).headers.get("ETag"));
  });

  it("and dotenv name the first of very many that are left out, and say how many more there are", async () => {
    const token = { org: "leaving-out" };
    const secrets = Object.fromEntries(Array.from({ length: 45 }, (_, n) => [`CUSTOM_${n}`, "v"]));
    expect((await call("POST /v1/import", { token, json: { scope: "global", secrets } })).status).toBe(200);
    const { headers } = await callWith({ RESERVED_NAMES: "CUSTOM_*" })("POST /v1/resolve?format=env", { token, json: {} });
    const { names, more } = parseLeftOut(headers.get("Keyhole-Left-Out"));
    expect([names.length, names[0], more]).toEqual([40, { name: "CUSTOM_0", reason: "skipped" }, 5]);
  });

  it("as dotenv is text", async () => {
    const token = { org: "dotenv-format" };
    await put("global", "dot-key", "it's", { token });
    const { text, headers } = await call("POST /v1/resolve?format=dotenv", { token, json: { names: ["dot-key"] } });
    expect([text, headers.get("Content-Type")?.toLowerCase()]).toEqual(['DOT_KEY="it\'s"\n', "text/plain; charset=utf-8"]);
  });

  it("as docker is a line for each, and bytes are marked as base64 in every form", async () => {
    const token = { org: "docker-format" };
    await put("global", "dot-key", `it's "$5" \\n`, { token });
    await put("global", "key-store", BYTES.toBase64(), { token, fields: { encoding: "base64" } });
    for (const [format, want] of [
      ["docker", `DOT_KEY=it's "$5" \\n\n# KEY_STORE is base64\nKEY_STORE=${BYTES.toBase64()}\n`],
      ["dotenv", `# KEY_STORE is base64\nKEY_STORE='${BYTES.toBase64()}'\n`],
      ["env", JSON.stringify({ DOT_KEY: `it's "$5" \\n`, KEY_STORE: BYTES.toBase64() })],
    ] as const) {
      const { text, headers } = await call(`POST /v1/resolve?format=${format}`, { token, json: {} });
      expect([text, headers.get("Keyhole-Base64")]).toEqual([want, '"KEY_STORE"']);
    }
    expect((await resolve({}, { token })).headers.get("Keyhole-Base64")).toBeNull();
  });

  it.each([
    ["env", "NUL", ["NUL"]],
    ["dotenv", "BOTH_QUOTES, CRLF, NUL, PYTHON", ["BOTH_QUOTES", "CRLF", "NUL", "PYTHON"]],
    ["docker", "CRLF, LINES, NUL", ["CRLF", "LINES", "NUL"]],
  ])("as %s what the form cannot say is left out, listed and on record, and refused by name, all of it", async (format, _, unwritable) => {
    const token = { org: `unwritable-${format}` };
    const secrets = { BOTH_QUOTES: `'"`, CRLF: "a\r\nb", FINE: "v", LINES: "a\nb", NUL: "a\0b", PYTHON: "${HOME}" };
    await call("POST /v1/import", { token, json: { scope: "global", secrets } });
    const all = await call(`POST /v1/resolve?format=${format}`, { token, json: {} });
    expect(all.status).toBe(200);
    expect(all.text).toMatch(/FINE/);
    expect(parseLeftOut(all.headers.get("Keyhole-Left-Out")).names).toEqual(unwritable.map((name) => ({ name, reason: "unwritable" })));
    const events = await eventsOf(token.org);
    expect(events.at(-1)).toMatchObject({ outcome: "failed" });
    expect(events.at(-1)?.secrets.map(({ name }) => name)).toEqual(unwritable);
    const names = Object.keys(secrets);
    const byName = await call(`POST /v1/resolve?format=${format}`, { token, json: { names } });
    expect([byName.status, byName.body.code]).toEqual([400, "invalid-request"]);
    expect(byName.body.unavailable).toEqual(unwritable.map((name) => ({ name, reason: "unwritable" })));
    for (const name of unwritable) expect(byName.body.detail).toContain(`${name} has no form as ${format}`);
    expect(byName.text).not.toContain("HOME}");
    const some = await call(`POST /v1/resolve?format=${format}`, { token, json: { names, allow_missing: true } });
    expect([some.status, some.text]).toEqual([200, all.text]);
    const json = await resolve({ names }, { token });
    expect([json.status, Object.keys(json.body.secrets)]).toEqual([200, names]);
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
    await putExpired("global", "TAG_ONE", "v");
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
