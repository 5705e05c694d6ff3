import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { settleCiphertexts } from "../../src/worker/secrets/settle-ciphertexts.ts";
import { put, type Reply, resolve } from "../support/call.ts";
import type { TokenClaims } from "../support/sign.ts";

type Place = readonly [scope: string, name: string, token: TokenClaims];
const KEYS = ["key_id", "wrapped_key", "ciphertext", "kv_key"] as const;

/** Gives each of two versions what the other has of the sealed value. */
async function swap(one: { id: string; version: number }, two: { id: string; version: number }): Promise<void> {
  const [a, b] = await Promise.all(
    [one, two].map(({ id, version }) => env.DB.prepare("SELECT * FROM versions WHERE secret_id = ? AND version = ?").bind(id, version).first()),
  );
  const set = (row: typeof a, to: typeof one, kvKey: unknown) =>
    env.DB.prepare("UPDATE versions SET key_id = ?, wrapped_key = ?, ciphertext = ?, kv_key = ? WHERE secret_id = ? AND version = ?").bind(
      ...KEYS.slice(0, 3).map((column) => row?.[column] ?? null),
      kvKey,
      to.id,
      to.version,
    );
  await env.DB.prepare("DROP TRIGGER IF EXISTS versions_destroyed").run();
  await env.DB.batch([set(b ?? null, one, "c_between"), set(a ?? null, two, a?.kv_key), set(b ?? null, one, b?.kv_key)]);
}

function expectRefused({ status, body, text, headers }: Reply, code = "internal"): void {
  expect([status, body.code]).toEqual([500, code]);
  expect(headers.get("Content-Type")).toBe("application/problem+json");
  expect(text).not.toMatch(/swapped-value|\bat \w/);
}

const acme = { org: "acme" };
const PAIRS: Record<string, [Place, Place]> = {
  names: [
    ["global", "SWAP_A", acme],
    ["global", "SWAP_B", acme],
  ],
  scopes: [
    ["team:one", "SWAP_C", acme],
    ["team:two", "SWAP_C", acme],
  ],
  organizations: [
    ["global", "SWAP_D", acme],
    ["global", "SWAP_D", { org: "rival" }],
  ],
};

it.each(["inline", "in KV"])("gives no value after sealed values (%s) were swapped between names, scopes or organizations", async (where) => {
  for (const places of Object.values(PAIRS)) {
    const replies = await Promise.all(places.map(([scope, name, token], n) => put(scope, `${name}_${where.length}`, `swapped-value-${n}`, { token })));
    if (where === "in KV") await settleCiphertexts({ db: env.DB, kv: env.KV, now: new Date(Date.now() + 600_000) });
    const [one, two] = replies.map(({ body }) => ({ id: body.id as string, version: 1 }));
    if (!one || !two) throw new Error("two secrets are swapped");
    const read = () => Promise.all(places.map(([scope, name, token]) => resolve({ scopes: [scope], names: [`${name}_${where.length}`] }, { token })));
    for (const { status } of await read()) expect(status).toBe(200);
    await swap(one, two);
    for (const reply of await read()) expectRefused(reply);
  }
});

it("gives no value after an older version was put in the place of the current one", async () => {
  const { body } = await put("global", "SWAP_VERSIONS", "swapped-value-1");
  await put("global", "SWAP_VERSIONS", "swapped-value-2");
  await swap({ id: body.id, version: 1 }, { id: body.id, version: 2 });
  expectRefused(await resolve({ names: ["SWAP_VERSIONS"] }));
});

it("gives no value after the pointer was moved to another secret's name", async () => {
  const { body } = await put("global", "RENAMED_BEFORE", "swapped-value");
  await env.DB.prepare("UPDATE secrets SET name = 'RENAMED_AFTER' WHERE id = ?").bind(body.id).run();
  expectRefused(await resolve({ names: ["RENAMED_AFTER"] }), "integrity-failed");
});

it("gives no value of all that were asked for when one does not open", async () => {
  const { body } = await put("global", "BROKEN", "swapped-value");
  await put("global", "WHOLE", "swapped-value");
  await env.DB.prepare("UPDATE versions SET wrapped_key = substr(wrapped_key, 2) || 'A' WHERE secret_id = ?").bind(body.id).run();
  expectRefused(await resolve({ names: ["BROKEN", "WHOLE"] }));
  expect((await resolve({ names: ["WHOLE"] })).status).toBe(200);
});

it("is 503 and not a loss when the key of a value is not in the keyring, and the value comes with it again", async () => {
  const { body } = await put("global", "KEYLESS", "keyless-value");
  const setKey = (id: string) => env.DB.prepare("UPDATE versions SET key_id = ? WHERE secret_id = ?").bind(id, body.id).run();
  await setKey("k0");
  const { status, headers } = await resolve({ names: ["KEYLESS"] });
  expect([status, headers.get("Retry-After")]).toEqual([503, "2"]);
  await setKey("k1");
  expect((await resolve({ names: ["KEYLESS"] })).body.secrets.KEYLESS.value).toBe("keyless-value");
});

it("can still be replaced when it does not open", async () => {
  const { body } = await put("global", "REPLACED", "swapped-value");
  await env.DB.prepare("UPDATE versions SET ciphertext = 'v1:broken' WHERE secret_id = ?").bind(body.id).run();
  expect((await put("global", "REPLACED", "new")).body.version).toBe(2);
  expect((await resolve({ names: ["REPLACED"] })).body.secrets.REPLACED.value).toBe("new");
});

it.each([
  ["is destroyed", "UPDATE versions SET key_id = NULL, wrapped_key = NULL, ciphertext = NULL, kv_key = NULL WHERE secret_id = ?"],
  [
    "became plaintext",
    "UPDATE versions SET key_id = NULL, wrapped_key = NULL, ciphertext = NULL, kv_key = NULL, legacy_plaintext = 'forged' WHERE secret_id = ?",
  ],
])("gives no value of a current version that %s behind Keyhole's back", async (what, sql) => {
  const name = `FORGED_${what.replace(" ", "_")}`;
  const { body } = await put("global", name, "swapped-value");
  await env.DB.prepare("DROP TRIGGER IF EXISTS versions_destroyed").run();
  await env.DB.prepare(sql).bind(body.id).run();
  const reply = await resolve({ names: [name] });
  expectRefused(reply, "integrity-failed");
  expect(reply.text).not.toContain('forged"');
  expectRefused(await put("global", name, "new"), "integrity-failed");
});
