import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { addKey } from "../../src/keys-file/add-key.ts";
import { promoteKey } from "../../src/keys-file/promote-key.ts";
import { importRootKey, newWrappedKey } from "../../src/keys-file/wrapped-key.ts";
import { importKeyring } from "../../src/worker/envelope/keyring.ts";
import { checkKeys } from "../../src/worker/keys/check-keys.ts";
import { rewrapAll } from "../../src/worker/keys/rewrap-keys.ts";
import { type KeyUse, selectKeyUse } from "../../src/worker/store/key-use.ts";
import { rowsOf } from "../../src/worker/store/run-batch.ts";
import { callWith } from "../support/call-with.ts";

const { ROOT_KEY = "", KEYRING = "" } = env;
const K1 = JSON.parse(KEYRING).keys.k1 as string;
const keyringOf = (current: string, keys: Readonly<Record<string, string>>) => JSON.stringify({ current, keys });

let other: string;
let fresh: { id: string; KEYRING: string };
beforeAll(async () => {
  other = (await newWrappedKey(await importRootKey(ROOT_KEY))).wrapped;
  const { id, secrets } = await addKey({ ROOT_KEY, KEYRING });
  fresh = { id, KEYRING: (await promoteKey({ ROOT_KEY, ...secrets })).secrets.KEYRING ?? "" };
});

const readyz = async (vars: object) => (await callWith(vars)("GET /readyz")) as { status: number; body: Record<string, unknown> };
const faultsOf = async (text: string) => Object.fromEntries(await checkKeys({ db: env.DB, keyring: await importKeyring(ROOT_KEY, text) }));

describe("a key of the keyring", () => {
  it("that is not current and cannot be used keeps nothing else from working, and is named", async () => {
    for (const name of ["A", "B", "C", "D"]) await callWith({})(`PUT /v1/scopes/global/secrets/${name}`, { json: { value: name } });
    const cut = keyringOf("k1", { k1: K1, k0: K1.slice(8), k9: new Uint8Array(40).toBase64(), [fresh.id]: other });
    expect(await readyz({ KEYRING: cut })).toMatchObject({
      status: 200,
      body: {
        status: "degraded",
        unusable: [],
        degraded: [
          { part: "keyring", detail: "KEYRING: the key k0 is not a wrapped 256-bit key in base64" },
          { part: "keyring", detail: "KEYRING: the key k9 does not unwrap under ROOT_KEY" },
          { part: "keyring", detail: `KEYRING: the key ${fresh.id} is another one than its id says` },
        ],
      },
    });
    expect((await callWith({ KEYRING: cut })("GET /v1/resolve/A")).body.value).toBe("A");
    const { keys } = (await callWith({ KEYRING: cut })("GET /v1/keys")).body;
    expect(keys.map(({ id, available }: { id: string; available: boolean }) => [id, available])).toEqual(
      ["k0", "k1", "k9", fresh.id].sort().map((id) => [id, id === "k1"]),
    );
  });

  it("that is current and not the one its id is the fingerprint of is not ready", async () => {
    const text = keyringOf(fresh.id, { k1: K1, [fresh.id]: other });
    const { status, body } = await readyz({ KEYRING: text });
    expect([status, body.unusable]).toEqual([503, [{ part: "keyring" }]]);
    await expect(importKeyring(ROOT_KEY, text)).rejects.toThrow(`KEYRING: the key ${fresh.id} is another one than its id says`);
  });

  it("of the old kind is wrong when nothing under its id was wrapped with it, and right when one row is damaged", async () => {
    expect(await faultsOf(keyringOf("k1", { k1: other }))).toEqual({ k1: "wrong" });
    expect(await faultsOf(keyringOf("k1", { k1: K1 }))).toEqual({});
    await env.DB.prepare("UPDATE versions SET wrapped_key = 'AAAA' WHERE secret_id = (SELECT id FROM secrets WHERE name = 'A')").run();
    expect(await faultsOf(keyringOf("k1", { k1: K1 }))).toEqual({});
  });

  it("of the old kind that shares its id with another one is degraded, and nothing is re-wrapped under it", async () => {
    await env.DB.prepare("UPDATE versions SET created_at = 0 WHERE key_id = 'k1'").run();
    await callWith({ KEYRING: fresh.KEYRING })("PUT /v1/scopes/global/secrets/NEW", { json: { value: "new" } });
    for (const name of ["X", "Y", "Z"])
      await callWith({ KEYRING: keyringOf("k8", { k8: other }) })(`PUT /v1/scopes/global/secrets/${name}`, { json: { value: name } });
    await env.DB.prepare("UPDATE versions SET key_id = 'k1' WHERE key_id = 'k8'").run();
    const text = keyringOf("k1", { ...JSON.parse(fresh.KEYRING).keys, k1: K1 });
    expect(await readyz({ KEYRING: text })).toMatchObject({
      status: 200,
      body: { status: "degraded", degraded: [{ part: "keyring", detail: "KEYRING: some of what is under the id k1 was wrapped with another key" }] },
    });
    expect(await rewrapAll({ db: env.DB, keyring: await importKeyring(ROOT_KEY, text), now: new Date() })).toBe(0);
  });

  it.each([
    ["a secret", "PUT /v1/scopes/global/secrets/LATE", { value: "late" }],
    ["a secret's description", "PUT /v1/scopes/global/secrets/UNDER_K2", { value: "right", description: "other" }],
    ["an import", "POST /v1/import", { scope: "global", secrets: { LATE: "late" } }],
    ["a link", "PUT /v1/scopes/repo%3Aa", { parent: "team:a" }],
    ["a token", "POST /v1/tokens", { label: "late", permissions: ["secrets:read"], expires_in: 60 }],
    [
      "a trust",
      "PUT /v1/trusts/late",
      { issuer: "https://token.actions.githubusercontent.com", audience: "keyhole", claims: { sub: "a" }, permissions: ["secrets:read"], expires_in: 60 },
    ],
  ])("of the old kind that is another one with the id of the current one seals nothing: not %s", async (_, request, json) => {
    const right = (await newWrappedKey(await importRootKey(ROOT_KEY))).wrapped;
    const before = { k1: K1, k8: other };
    const ask = callWith({ KEYRING: keyringOf("k2", { ...before, k2: right }) });
    expect((await ask("PUT /v1/scopes/global/secrets/UNDER_K2", { json: { value: "right" } })).status).toBeLessThan(300);
    // The right one is in the keyring under another id, so that what it sealed is believed.
    const wrong = callWith({ KEYRING: keyringOf("k2", { ...before, k7: right, k2: (await newWrappedKey(await importRootKey(ROOT_KEY))).wrapped }) });
    const sealed = () => env.DB.prepare("SELECT (SELECT json_group_array(seal) FROM secrets) || (SELECT COUNT(*) FROM tokens) AS all_of_them").first();
    const rows = await sealed();
    for (const _again of [1, 2]) {
      expect(await wrong(request, { json })).toMatchObject({
        status: 503,
        body: { code: "storage-unavailable", detail: expect.stringContaining("the key k2 is another one than what is under this id was wrapped with") },
      });
    }
    expect(await sealed()).toEqual(rows);
    expect((await ask("PUT /v1/scopes/global/secrets/UNDER_K2", { json: { value: "right again" } })).status).toBe(200);
    expect((await ask("DELETE /v1/scopes/global/secrets/UNDER_K2?purge=true")).status).toBe(204);
  });

  it("that the keyring lacks is named, also beside many others", async () => {
    await env.DB.prepare("UPDATE versions SET key_id = 'k0' WHERE secret_id = (SELECT id FROM secrets WHERE name = 'D')").run();
    expect(await faultsOf(KEYRING)).toEqual({ k0: "missing", [fresh.id]: "missing", k1: "mixed" });
  });

  it("is looked at again only after a while, so that /readyz stays cheap", async () => {
    const ask = callWith({ KEYRING });
    const batches = vi.spyOn(env.DB, "batch");
    await ask("GET /readyz");
    const first = batches.mock.calls.length;
    batches.mockClear();
    await ask("GET /readyz");
    expect(batches.mock.calls.length).toBe(first - 1);
    batches.mockRestore();
  });
});

it("rows are counted by the key that their seal names, those of an organization or all", async () => {
  await env.DB.batch([
    env.DB.prepare("CREATE TABLE sealed (org TEXT, seal TEXT)"),
    env.DB.prepare(
      "INSERT INTO sealed VALUES ('acme', 's1:k1:mac'), ('acme', 's1:k_0pVbS6uQzL3mXr9T:m:a'), ('other', 's1:k1:mac'), ('acme', NULL), ('acme', 'k1')",
    ),
  ]);
  const seals = async (org: string | null) => {
    const [found] = await env.DB.batch([selectKeyUse(env.DB, org, ["sealed"])]);
    return Object.fromEntries(rowsOf<KeyUse>(found).flatMap(({ key_id, seals }) => (seals > 0 ? [[key_id, seals]] : [])));
  };
  expect(await seals(null)).toEqual({ k1: 2, k_0pVbS6uQzL3mXr9T: 1 });
  expect(await seals("acme")).toEqual({ k1: 1, k_0pVbS6uQzL3mXr9T: 1 });
});

describe("the runtime's flags", () => {
  afterEach(() => vi.unstubAllGlobals());

  it.each([
    ["is off", { compatibilityFlags: { global_fetch_strictly_public: false } }],
    ["is not told", { compatibilityFlags: {} }],
  ])("a Worker is not ready where global_fetch_strictly_public %s", async (_, runtime) => {
    expect((await readyz({})).body.unusable).toEqual([]);
    vi.stubGlobal("Cloudflare", runtime);
    const { status, body } = await readyz({});
    expect([status, body.unusable]).toEqual([503, [{ part: "compatibility_flags", detail: expect.stringContaining("global_fetch_strictly_public") }]]);
  });
});

it("what is sealed of an organization is counted whatever table it is in, and its tokens by themselves too", async () => {
  const token = { org: "counted" };
  const ask = callWith({});
  const total = async () => {
    const { keys } = (await ask("GET /v1/keys", { token })).body as { keys: { seals: number; tokens: number; current: boolean }[] };
    const found = keys.find(({ current }) => current);
    return [found?.seals, found?.tokens];
  };
  expect(await total()).toEqual([0, 0]);
  await ask("PUT /v1/scopes/global/secrets/A", { token, json: { value: "a" } });
  expect(await total()).toEqual([1, 0]);
  await ask("PUT /v1/scopes/repo%3Aa", { token, json: { parent: "team:a" } });
  expect(await total()).toEqual([2, 0]);
  const trust = {
    issuer: "https://token.actions.githubusercontent.com",
    audience: "keyhole",
    claims: { sub: "a" },
    permissions: ["secrets:read"],
    expires_in: 60,
  };
  await ask("PUT /v1/trusts/ci", { token, json: trust });
  expect(await total()).toEqual([3, 0]);
  const { id } = (await ask("POST /v1/tokens", { token, json: { label: "a", permissions: ["secrets:read"], expires_in: 60 } })).body;
  expect(await total()).toEqual([4, 1]);
  await ask(`DELETE /v1/tokens/${id}`, { token });
  expect(await total(), "with its revocation").toEqual([5, 1]);
});
