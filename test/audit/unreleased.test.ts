import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { MAX_RELEASED_BYTES } from "../../src/contract/resolve.ts";
import { settleCiphertexts } from "../../src/worker/secrets/settle-ciphertexts.ts";
import { call, put, type Reply, resolve } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { eventsOf } from "../support/events-of.ts";
import { UNSEALED_KEYRING } from "../support/test-secrets.ts";

afterEach(() => vi.restoreAllMocks());

const run = (sql: string, ...values: unknown[]) =>
  env.DB.prepare(sql)
    .bind(...values)
    .run();
const ofVersion = (set: string) => (id: string) => run(`UPDATE versions SET ${set} WHERE secret_id = ?`, id);

async function loseCiphertext(id: string): Promise<void> {
  await settleCiphertexts({ db: env.DB, kv: env.KV, now: new Date(Date.now() + 600_000) });
  const key = await env.DB.prepare("SELECT kv_key FROM versions WHERE secret_id = ? AND ciphertext IS NULL").bind(id).first<string>("kv_key");
  await env.KV.delete(key ?? "");
}

/** What keeps a value from being had: the status of who asks for it by name, and how it comes to that. */
const KINDS: Readonly<Record<string, readonly [status: number, code: string, bend: (id: string) => Promise<unknown>]>> = {
  "not-here-yet": [503, "storage-unavailable", loseCiphertext],
  "key-missing": [503, "storage-unavailable", ofVersion("key_id = 'k0'")],
  "does-not-open": [500, "internal", ofVersion("wrapped_key = substr(wrapped_key, 2) || 'A'")],
  "integrity-failed": [500, "integrity-failed", (id) => run("UPDATE secrets SET expires_at = 9999999999999 WHERE id = ?", id)],
};

/** An organization with two values that cannot be had, one that can, and values in a wider scope that must not take their place. */
async function prepare(reason: string): Promise<{ org: string }> {
  const token = { org: `unreleased-${reason}-${crypto.randomUUID().slice(0, 8)}` };
  const made: string[] = [];
  for (const name of ["LOST", "GOOD", "ALSO_LOST"]) {
    await put("global", name, "the-wider-value", { token });
    made.push((await put("team:t", name, `the-value-of-${name}`, { token })).body.id);
  }
  for (const id of [made[0], made[2]]) await KINDS[reason]?.[2](id ?? "");
  return token;
}

const LOST = ["ALSO_LOST", "LOST"];
const namesOf = (secrets: readonly { name: string | null }[] = []) => secrets.map(({ name }) => name).sort();
/** The events of a request that are about what it was to release. */
const resolves = async ({ org }: { org: string }, reply: Reply) =>
  (await eventsOf(org, reply.headers.get("X-Request-Id")))
    .filter(({ action }) => action === "secret.resolve")
    .map(({ outcome, secrets }) => [outcome, namesOf(secrets)]);

describe.each(Object.keys(KINDS))("values that cannot be had (%s)", (reason) => {
  const [status, code] = KINDS[reason] ?? [0, ""];

  it("are left out of a resolve of everything and listed; a second event says that they did not leave", async () => {
    const token = await prepare(reason);
    const reply = await resolve({ scopes: ["team:t"] }, { token });
    expect([reply.status, Object.keys(reply.body.secrets), reply.body.missing]).toEqual([200, ["GOOD"], []]);
    expect(reply.body.unavailable).toEqual(LOST.map((name) => ({ name, reason })));
    expect(reply.text).not.toContain("the-wider-value");
    expect(await resolves(token, reply)).toEqual([
      ["allowed", ["ALSO_LOST", "GOOD", "LOST"]],
      ["failed", LOST],
    ]);
    const broken = (await eventsOf(token.org, reply.headers.get("X-Request-Id"))).filter(({ action }) => action === "integrity.failed");
    expect(broken).toHaveLength(reason === "integrity-failed" ? 2 : 0);
    const variables = await call("POST /v1/resolve?format=env", { token, json: { scopes: ["team:t"] } });
    expect([variables.body, variables.headers.get("Keyhole-Left-Out")]).toEqual([
      { GOOD: "the-value-of-GOOD" },
      `"ALSO_LOST";reason=${reason}, "LOST";reason=${reason}`,
    ]);
  });

  it("refuse whoever asks for them by name, all of them named, and nothing leaves", async () => {
    const token = await prepare(reason);
    for (const request of ["POST /v1/resolve", "POST /v1/resolve?format=dotenv"]) {
      const reply = await call(request, { token, json: { scopes: ["team:t"], names: ["LOST", "GOOD", "ALSO_LOST"] } });
      expect([reply.status, reply.body.code, reply.body.unavailable]).toEqual([status, code, LOST.map((name) => ({ name, reason }))]);
      expect(reply.headers.get("Retry-After")).toBe(status === 503 ? "2" : null);
      expect(reply.text).not.toMatch(/the-(wider-)?value/);
      expect(await resolves(token, reply)).toEqual([
        ["allowed", ["ALSO_LOST", "GOOD", "LOST"]],
        ["failed", ["ALSO_LOST", "GOOD", "LOST"]],
      ]);
    }
    const one = await call("GET /v1/resolve/LOST?scope=team:t&format=raw", { token });
    expect([one.status, await resolves(token, one)]).toEqual([
      status,
      [
        ["allowed", ["LOST"]],
        ["failed", ["LOST"]],
      ],
    ]);
    expect((await resolve({ scopes: ["team:t"], names: ["GOOD"] }, { token })).status).toBe(200);
  });

  it("by name with allow_missing are listed, unless somebody has bent them", async () => {
    const token = await prepare(reason);
    const reply = await resolve({ scopes: ["team:t"], names: ["LOST", "GOOD", "NOWHERE"], allow_missing: true }, { token });
    if (reason === "integrity-failed") expect([reply.status, reply.body.code]).toEqual([500, code]);
    else expect([reply.status, reply.body.unavailable, reply.body.missing]).toEqual([200, [{ name: "LOST", reason }], ["NOWHERE"]]);
    expect(reply.text).not.toContain("the-wider-value");
  });

  it("make another ETag than the whole answer, and no 304 hides that they can be had again", async () => {
    const token = await prepare(reason);
    const part = await resolve({ scopes: ["team:t"] }, { token });
    const headers = { "If-None-Match": part.headers.get("ETag") ?? "" };
    expect((await resolve({ scopes: ["team:t"] }, { token, headers })).status).toBe(304);
    for (const name of LOST) await put("team:t", name, "new", { token });
    const whole = await resolve({ scopes: ["team:t"] }, { token, headers });
    const expected = reason === "integrity-failed" ? [304, ["GOOD"]] : [200, ["ALSO_LOST", "GOOD", "LOST"]];
    expect([whole.status, Object.keys(whole.body.secrets ?? { GOOD: "" })]).toEqual(expected);
  });

  it("are not hidden, and nothing leaves, when the second event cannot be written", async () => {
    const token = await prepare(reason);
    const batch = env.DB.batch.bind(env.DB);
    let calls = 0;
    vi.spyOn(env.DB, "batch").mockImplementation(((statements: D1PreparedStatement[]) =>
      ++calls === 1 ? batch(statements) : Promise.reject(new Error("D1 is down"))) as typeof env.DB.batch);
    const reply = await resolve({ scopes: ["team:t"] }, { token });
    expect([reply.status, reply.body.code]).toEqual([503, "storage-unavailable"]);
    expect(reply.text).not.toContain("the-value");
  });
});

it("says in a second event what did not leave because it has no form as a .env file: by name, nothing did", async () => {
  const token = { org: "formless" };
  await put("global", "FORMLESS", "nul \0", { token });
  await put("global", "PLAIN", "the-value", { token });
  const all = await call("POST /v1/resolve?format=dotenv", { token, json: {} });
  expect(await resolves(token, all)).toEqual([
    ["allowed", ["FORMLESS", "PLAIN"]],
    ["failed", ["FORMLESS"]],
  ]);
  const reply = await call("POST /v1/resolve?format=dotenv", { token, json: { names: ["FORMLESS", "PLAIN"] } });
  expect([reply.status, reply.body.code]).toEqual([400, "invalid-request"]);
  expect(await resolves(token, reply)).toEqual([
    ["allowed", ["FORMLESS", "PLAIN"]],
    ["failed", ["FORMLESS", "PLAIN"]],
  ]);
  const raw = await call("GET /v1/resolve/FORMLESS?format=raw", { token });
  expect(await resolves(token, raw)).toEqual([["allowed", ["FORMLESS"]]]);
});

it("leaves out plaintext that is not read, without names, and lists it", async () => {
  const token = { org: "plaintext-left-out" };
  await put("global", "OWN", "the-value", { token });
  const { body } = await put("global", "PLAIN", "x", { token });
  await run("DROP TRIGGER IF EXISTS versions_destroyed");
  await ofVersion("key_id = NULL, wrapped_key = NULL, kv_key = NULL, ciphertext = NULL, kv_put_at = NULL, size = NULL, legacy_plaintext = 'planted'")(body.id);
  await run("UPDATE secrets SET seal = NULL WHERE id = ?", body.id);
  const reply = await callWith({ KEYRING: UNSEALED_KEYRING })("POST /v1/resolve", { token, json: {} });
  expect([reply.status, Object.keys(reply.body.secrets), reply.body.unavailable]).toEqual([200, ["OWN"], [{ name: "PLAIN", reason: "plaintext-refused" }]]);
});

describe("an answer that would be too large", () => {
  const many = Array.from({ length: 65 }, (_, n) => `N${n}`);

  it("is 413 before anything is read, and its event names nothing: the size of every value is on record", async () => {
    const token = { org: "too-large" };
    const secrets = Object.fromEntries(many.map((name) => [name, "é"]));
    await call("POST /v1/import", { token, json: { scope: "global", secrets } });
    expect((await resolve({}, { token })).status).toBe(200);
    await run("UPDATE versions SET size = ? WHERE secret_id IN (SELECT id FROM secrets WHERE org = 'too-large')", Math.ceil(MAX_RELEASED_BYTES / 65) + 1);
    const get = vi.spyOn(env.KV, "get");
    const decrypt = vi.spyOn(crypto.subtle, "decrypt");
    for (const request of [{}, { names: many }]) {
      const reply = await resolve(request, { token });
      expect([reply.status, reply.body.code]).toEqual([413, "answer-too-large"]);
      expect(await resolves(token, reply)).toEqual([["allowed", []]]);
    }
    expect([get.mock.calls.length, decrypt.mock.calls.length]).toEqual([0, 0]);
    vi.restoreAllMocks();
    expect((await resolve({ names: many.slice(1, 60) }, { token })).status, "what is asked for fits").toBe(200);
  });

  it("is 413 before anything is opened, and a second event says so, where the sizes are not known", async () => {
    const token = { org: "too-large-unknown" };
    for (const name of ["A", "B", "C", "D", "E"]) await put("global", name, "x", { token });
    const ids = "(SELECT id FROM secrets WHERE org = 'too-large-unknown')";
    await run(`UPDATE versions SET size = NULL, ciphertext = 'v2:' || hex(zeroblob(600000)) WHERE secret_id IN ${ids}`);
    const decrypt = vi.spyOn(crypto.subtle, "decrypt");
    const reply = await resolve({}, { token });
    expect([reply.status, reply.body.code, decrypt.mock.calls.length]).toEqual([413, "answer-too-large", 0]);
    expect(await resolves(token, reply)).toEqual([
      ["allowed", ["A", "B", "C", "D", "E"]],
      ["failed", ["A", "B", "C", "D", "E"]],
    ]);
  });

  it("is told from the bytes of each value, however it was written", async () => {
    const token = { org: "sized" };
    const { body } = await put("global", "S", "é", { token });
    await put("global", "S", "AAECAw==", { token, fields: { encoding: "base64" } });
    await call(`PATCH /v1/secrets/${body.id}`, { token, json: { value: "four5" } });
    await call("POST /v1/import", { token, json: { scope: "global", secrets: { S: "sixsix" } } });
    await call(`POST /v1/secrets/${body.id}/rollback`, { token, json: { version: 1 } });
    const { results } = await env.DB.prepare("SELECT size FROM versions WHERE secret_id = ? ORDER BY version").bind(body.id).all<{ size: number }>();
    expect(results.map(({ size }) => size)).toEqual([2, 4, 5, 6, 2]);
    await call("POST /v1/secrets", { token, json: { scope: "global", name: "T", value: "abc" } });
    expect(
      await env.DB.prepare("SELECT v.size FROM versions v JOIN secrets s ON s.id = v.secret_id WHERE s.org = 'sized' AND s.name = 'T'").first("size"),
    ).toBe(3);
  });
});
