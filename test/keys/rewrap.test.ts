import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { importKeyring, type Keyring } from "../../src/worker/envelope/keyring.ts";
import { rewrapAll } from "../../src/worker/keys/rewrap-keys.ts";
import { callWith } from "../support/call-with.ts";

/** The test keyring with a new current key, as add and promote made one when ids were not fingerprints. */
async function rotated(): Promise<string> {
  const root = await crypto.subtle.importKey("raw", Uint8Array.fromBase64(env.ROOT_KEY ?? ""), "AES-KW", false, ["wrapKey"]);
  const key = (await crypto.subtle.generateKey({ name: "AES-KW", length: 256 }, true, ["wrapKey", "unwrapKey"])) as CryptoKey;
  const wrapped = new Uint8Array((await crypto.subtle.wrapKey("raw", key, root, "AES-KW")) as ArrayBuffer).toBase64();
  const { keys } = JSON.parse(env.KEYRING ?? "") as { keys: Record<string, string> };
  return JSON.stringify({ current: "k2", keys: { ...keys, k2: wrapped } });
}

let KEYRING: string;
let keyring: Keyring;
const before = callWith({});
const rows = async () =>
  (await env.DB.prepare("SELECT secret_id, version, key_id, wrapped_key, ciphertext, kv_key FROM versions ORDER BY secret_id").all<Record<string, string>>())
    .results;

beforeAll(async () => {
  KEYRING = await rotated();
  keyring = await importKeyring(env.ROOT_KEY, KEYRING);
  for (const name of ["ONE", "TWO", "POISON"]) await before(`PUT /v1/scopes/global/secrets/${name}`, { json: { value: `value-${name}` } });
  await before("PUT /v1/scopes/global/secrets/ELSEWHERE", { json: { value: "v" }, token: { org: "other" } });
  await env.DB.prepare("UPDATE versions SET wrapped_key = 'AAAA' WHERE secret_id = (SELECT id FROM secrets WHERE name = 'POISON')").run();
});

it("wraps data keys under the new current key and touches no ciphertext; what does not unwrap is quarantined and reported", async () => {
  const after = callWith({ KEYRING });
  const old = await rows();
  const use = async (org: string) => (await after("GET /v1/keys", { token: { org } })).body.keys;
  expect(await use("acme")).toEqual([
    { id: "k1", current: false, versions: 3, archives: 0, seals: 3, tokens: 0, available: true },
    { id: "k2", current: true, versions: 0, archives: 0, seals: 0, tokens: 0, available: true },
  ]);
  expect((await use("platform"))[0].versions, "the operator's organization sees the whole deployment").toBe(4);

  expect((await after("POST /v1/keys/rewrap")).body, "an organization re-wraps its own").toEqual({ rewrapped: 2, remaining: 1 });
  expect(await rewrapAll({ db: env.DB, keyring, now: new Date() }), "the scheduled run does the rest").toBe(1);
  const rewrapped = await rows();
  expect(rewrapped.map(({ ciphertext, kv_key }) => [ciphertext, kv_key])).toEqual(old.map(({ ciphertext, kv_key }) => [ciphertext, kv_key]));
  expect(rewrapped.filter(({ key_id }) => key_id === "k2")).toHaveLength(3);
  expect((await after("GET /v1/resolve/ONE")).body.value).toBe("value-ONE");
  expect((await after("GET /readyz")).body.backlog.set_aside).toBe(1);
  expect(await rewrapAll({ db: env.DB, keyring, now: new Date() }), "what is in quarantine is left alone").toBe(0);
});

it("answers 503 naming the key for a version whose key is not in the keyring, and its value when the key is back", async () => {
  const { status, body, headers } = await before("GET /v1/resolve/TWO");
  expect([status, body.code, headers.has("Retry-After")]).toEqual([503, "storage-unavailable", true]);
  expect(body.detail).toContain("k2");
  expect((await before("GET /v1/keys")).body.keys).toContainEqual({
    id: "k2",
    current: false,
    versions: 2,
    archives: 0,
    seals: 0,
    tokens: 0,
    available: false,
  });
  expect((await callWith({ KEYRING })("GET /v1/resolve/TWO")).body.value).toBe("value-TWO");
});

it("does no harm when two runs re-wrap at once", async () => {
  await before("PUT /v1/scopes/global/secrets/THREE", { json: { value: "value-THREE" } });
  const now = new Date();
  const done = await Promise.all([rewrapAll({ db: env.DB, keyring, now }), rewrapAll({ db: env.DB, keyring, now })]);
  expect(Math.max(...done)).toBe(1);
  expect((await callWith({ KEYRING })("GET /v1/resolve/THREE")).body.value).toBe("value-THREE");
});
