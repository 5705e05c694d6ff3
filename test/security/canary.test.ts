import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { settleCiphertexts } from "../../src/worker/secrets/settle-ciphertexts.ts";
import { at, type CallOptions, call, type Reply, resolve } from "../support/call.ts";

const MINUTE = 60_000;
const CANARY = "canary-Zx7~Qw9#Lk3?Vb5>Nm1";
const logged: string[] = [];

/** What must be found nowhere: the value as it is, and in every writing that something could have turned it into. */
function writings(value: string): string[] {
  const bytes = new TextEncoder().encode(value);
  const base64 = [0, 1, 2].map((shift) => {
    const text = new Uint8Array([...new Uint8Array(shift), ...bytes]).toBase64();
    // The first and last characters also hold bits of the neighbours.
    return text.slice(shift === 0 ? 0 : 4, -4);
  });
  const base64url = base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"));
  const hex = bytes.toHex();
  return [value, encodeURIComponent(value), JSON.stringify([...bytes]).slice(1, -1), ...base64, ...base64url, hex, hex.toUpperCase()];
}

function expectClean(where: string, text: string): void {
  for (const writing of writings(CANARY)) expect(text.includes(writing), `${where} holds ${writing}`).toBe(false);
}

async function dumpD1(): Promise<string> {
  const { results } = await env.DB.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'").all<{
    name: string;
  }>();
  expect(results.map(({ name }) => name)).toEqual(expect.arrayContaining(["secrets", "versions", "kv_removals", "audit_events"]));
  const tables = await Promise.all(results.map(({ name }) => env.DB.prepare(`SELECT * FROM "${name}"`).all()));
  return JSON.stringify(tables.map((table) => table.results));
}

async function dumpKv(): Promise<string> {
  const { keys } = await env.KV.list();
  expect(keys.length).toBeGreaterThan(0);
  return JSON.stringify(await Promise.all(keys.map(async (key) => [key, await env.KV.get(key.name)])));
}

beforeAll(() => {
  for (const method of ["log", "info", "warn", "error", "debug", "trace"] as const) {
    vi.spyOn(console, method).mockImplementation((...parts: unknown[]) => void logged.push(parts.map(String).join(" ")));
  }
});
afterAll(() => vi.restoreAllMocks());

const raw = (contentType: string): CallOptions => ({ body: CANARY, headers: { "Content-Type": contentType } });
const json = { value: CANARY };
const dotenv: CallOptions = { headers: { "Content-Type": "text/plain" } };

/** Every route that takes a value. */
const WRITES: Record<string, () => Promise<Reply>> = {
  "PUT json": () => call(`PUT ${at("global", "C_JSON")}`, { json }),
  "PUT base64": () => call(`PUT ${at("global", "C_BASE64")}`, { json: { value: btoa(CANARY), encoding: "base64" } }),
  "PUT text": () => call(`PUT ${at("global", "C_TEXT")}`, raw("text/plain")),
  "PUT bytes": () => call(`PUT ${at("global", "C_BYTES")}`, raw("application/octet-stream")),
  POST: () => call("POST /v1/secrets", { json: { ...json, scope: "global", name: "C_POST" } }),
  "PUT again": () => call(`PUT ${at("global", "C_POST")}`, { json }),
  PATCH: async () => {
    const { body } = await call(`PUT ${at("global", "C_PATCH")}`, { json: { value: "other" } });
    return call(`PATCH /v1/secrets/${body.id}`, { json });
  },
  "import json": () => call("POST /v1/import", { json: { scope: "global", secrets: { C_IMPORT: CANARY } } }),
  "import object": () => call("POST /v1/import/object", { json: { scope: "global", members: [{ key: "C_OBJECT", value: CANARY }] } }),
  "import object again": () => call("POST /v1/import/object?dry_run=true", { json: { scope: "global", members: [{ key: "C_OBJECT", value: CANARY }] } }),
  "import .env": () => call("POST /v1/import?scope=global", { ...dotenv, body: `C_ENV='${CANARY}'\n` }),
  "import again": () => call("POST /v1/import?scope=global", { ...dotenv, body: `C_ENV='${CANARY}'\n` }),
  "import dry run": () => call("POST /v1/import?scope=global&dry_run=true", { ...dotenv, body: `C_ENV='${CANARY}'\nC_DRY='${CANARY}'\n` }),
  rollback: async () => {
    const { body } = await call(`PUT ${at("global", "C_BACK")}`, { json });
    await call(`PUT ${at("global", "C_BACK")}`, { json: { value: "other" } });
    return call(`POST /v1/secrets/${body.id}/rollback`, { json: { version: 1 } });
  },
  destroy: async () => {
    const { body } = await call(`PUT ${at("global", "C_DESTROYED")}`, { json });
    await call(`PUT ${at("global", "C_DESTROYED")}`, { json: { value: "other" } });
    return call(`DELETE /v1/secrets/${body.id}/versions/1`);
  },
};

describe("a value", () => {
  it("written by every route is in no reply, no log line, no D1 row and no KV entry", async () => {
    for (const [route, write] of Object.entries(WRITES)) {
      const { status, text, headers } = await write();
      expect(status, route).toBeLessThan(300);
      expectClean(`the reply of ${route}`, text + JSON.stringify([...headers]));
    }
    const resolved = await resolve({ names: ["C_JSON", "C_TEXT", "C_BYTES", "C_POST", "C_PATCH", "C_IMPORT", "C_ENV", "C_BACK"] });
    expect(resolved.text.split(CANARY)).toHaveLength(8);
    const versions = `/v1/secrets/${resolved.body.secrets.C_BACK.id}/versions`;
    for (const path of ["/v1/secrets", at("global", "C_JSON"), "/v1/explain/C_JSON", versions, "/v1/scopes"])
      expectClean(path, (await call(`GET ${path}`)).text);
    await settleCiphertexts({ db: env.DB, kv: env.KV, now: new Date(Date.now() + 2 * MINUTE) });
    expectClean("D1", await dumpD1());
    expectClean("KV", await dumpKv());
    expect(logged.length).toBeGreaterThan(10);
    expectClean("the log", logged.join("\n"));
  });

  it("is in no D1 row and no KV entry once it has moved, and after it is deleted", async () => {
    const { body } = await call(`PUT ${at("global", "C_MOVED")}`, { json });
    await settleCiphertexts({ db: env.DB, kv: env.KV, now: new Date(Date.now() + 10 * MINUTE) });
    await call(`DELETE /v1/secrets/${body.id}?purge=true`);
    expectClean("D1", await dumpD1());
    expectClean("KV", await dumpKv());
  });

  const misplaced: [string, () => Promise<Reply>][] = [
    ["an unknown field's value", () => call("POST /v1/secrets", { json: { scope: "global", name: "M", value: "v", valeu: CANARY } })],
    ["the scope", () => call("POST /v1/secrets", { json: { scope: CANARY, name: "M", value: "v" } })],
    ["the name", () => call("POST /v1/secrets", { json: { scope: "global", name: CANARY, value: "v" } })],
    ["the encoding", () => call("POST /v1/secrets", { json: { scope: "global", name: "M", value: "v", encoding: CANARY } })],
    ["the expiry", () => call("POST /v1/secrets", { json: { scope: "global", name: "M", value: "v", expires_at: CANARY } })],
    ["what is no base64", () => call("POST /v1/secrets", { json: { scope: "global", name: "M", value: `!${CANARY}`, encoding: "base64" } })],
    ["a value that is too large", () => call(`PUT ${at("global", "M")}`, { json: { value: CANARY.repeat(3000) } })],
    ["broken JSON", () => call(`PUT ${at("global", "M")}`, { body: `{"value":"${CANARY}`, headers: { "Content-Type": "application/json" } })],
    ["JSON that is the value", () => call(`PUT ${at("global", "M")}`, { body: CANARY, headers: { "Content-Type": "application/json" } })],
    ["a form", () => call(`PUT ${at("global", "M")}`, raw("application/x-www-form-urlencoded"))],
    ["text that is not UTF-8", () => call(`PUT ${at("global", "M")}`, { body: Uint8Array.from([0xff, ...new TextEncoder().encode(CANARY)]), ...plain })],
    ["the content type", () => call(`PUT ${at("global", "M")}`, { body: "v", headers: { "Content-Type": `text/${CANARY}` } })],
    [
      "the charset",
      () => call(`PUT ${at("global", "M")}`, { body: "v", headers: { "Content-Type": `text/plain; charset=${CANARY.replaceAll(/[?>]/g, "")}` } }),
    ],
    ["If-Match", () => call(`PUT ${at("global", "M")}`, { json: { value: "v" }, headers: { "If-Match": CANARY } })],
    ["the query", () => call(`GET /v1/secrets?prefix=${encodeURIComponent(CANARY)}&cursor=${encodeURIComponent(CANARY)}`)],
    ["the path", () => call(`PUT ${at("global", CANARY)}`, { json: { value: "v" } })],
    ["an imported value that is too large", () => call("POST /v1/import", { json: { scope: "global", secrets: { M: CANARY.repeat(3000) } } })],
    ["an imported value that is no text", () => call("POST /v1/import", { json: { scope: "global", secrets: { M: [CANARY] } } })],
    [
      "an object's JSON that is none",
      () => call("POST /v1/import/object", { json: { scope: "global", members: [{ key: "M", value: CANARY, encoding: "json" }] } }),
    ],
    ["an import's scope", () => call("POST /v1/import", { json: { scope: CANARY, secrets: { M: "v" } } })],
    ["a .env file with a bad name", () => call("POST /v1/import?scope=global", { ...dotenv, body: `1M='${CANARY}'\nPATH='${CANARY}'` })],
    ["a .env file without a scope", () => call("POST /v1/import", { ...dotenv, body: `M='${CANARY}'` })],
    ["a version", () => call("POST /v1/secrets/sec_x/rollback", { json: { version: CANARY } })],
    ["a scope's parent", () => call("PUT /v1/scopes/team%3Aa", { json: { parent: CANARY } })],
    ["a token's limits", () => call("POST /v1/tokens", { json: { label: "ci", permissions: ["secrets:read"], secret_names: [CANARY], expires_in: 60 } })],
    ["a trust's issuer", () => call("PUT /v1/trusts/t", { json: { issuer: CANARY } })],
    ["an identity token", () => call("POST /oauth/token", { token: null, body: new URLSearchParams({ subject_token: CANARY, audience: CANARY }) })],
    ["an unknown path", () => call(`POST /v1/${encodeURIComponent(CANARY)}`, { json })],
    ["a resolve's names", () => resolve({ names: [CANARY] })],
    ["the Authorization header", () => call("GET /v1/secrets", { token: null, headers: { Authorization: `Bearer ${CANARY}` } })],
  ];
  const plain = { headers: { "Content-Type": "text/plain" } };

  it.each(misplaced)("in the wrong place (%s) is refused without being repeated or logged", async (where, request) => {
    logged.length = 0;
    const { status, text, headers } = await request();
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expectClean(where, text + JSON.stringify([...headers]));
    expect(logged).not.toEqual([]);
    expectClean("the log", logged.join("\n"));
  });
});

it("a minted token is in its reply, and in no D1 row, no KV entry, no log line and no list", async () => {
  const { body } = await call("POST /v1/tokens", { json: { label: "ci", permissions: ["secrets:read"], expires_in: 60 } });
  const signature = body.token.split(".")[2];
  for (const text of [await dumpD1(), await dumpKv(), logged.join("\n"), (await call("GET /v1/tokens")).text]) expect(text).not.toContain(signature);
});

describe("the search for it", () => {
  it.each(writings(CANARY))("finds the writing %s", (writing) => {
    expect(() => expectClean("here", `xx${writing}yy`)).toThrow();
  });

  it("finds it in base64 at every alignment", () => {
    for (const before of ["", "a", "ab", "abc"]) expect(() => expectClean("here", btoa(`${before}${CANARY}after`))).toThrow();
  });
});
