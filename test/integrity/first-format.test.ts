import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { toBase64url } from "../../src/contract/base64url.ts";
import { associatedData } from "../../src/worker/envelope/binding.ts";
import { keyring } from "../envelope/keyrings.ts";
import { call, put, resolve } from "../support/call.ts";

/** Puts a value into a secret's version as it was written before envelopes bound the encoding; where it was, inline or in KV. */
async function writeFirstFormat({
  id,
  name,
  version,
  bytes,
  inKv,
}: {
  id: string;
  name: string;
  version: number;
  bytes: Uint8Array;
  inKv: boolean;
}): Promise<void> {
  const dataKey = (await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"])) as CryptoKey;
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const additionalData = associatedData("v1", { org: "acme", scope: "global", name, version, id, encoding: "utf8" });
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, dataKey, bytes);
  const wrapped = await crypto.subtle.wrapKey("raw", dataKey, keyring.keys.get(keyring.current) as CryptoKey, "AES-KW");
  const ciphertext = `v1:${[iv, sealed.slice(-16), sealed.slice(0, -16)].map(toBase64url).join(":")}`;
  const kvKey = `c_first_${id}`;
  await env.KV.put(kvKey, ciphertext);
  await env.DB.prepare("UPDATE versions SET ciphertext = ?, wrapped_key = ?, kv_key = ?, kv_put_at = 1 WHERE secret_id = ? AND version = ?")
    .bind(inKv ? null : ciphertext, toBase64url(wrapped), kvKey, id, version)
    .run();
}

let made = 0;

// The version gets another KV key, which nothing but a test does.
beforeAll(() => env.DB.prepare("DROP TRIGGER IF EXISTS versions_destroyed").run());

/** A secret whose first version is of the first format, and says that it has an encoding. */
async function makeSecret({ bytes, says = "utf8", inKv = false }: { bytes: Uint8Array; says?: string; inKv?: boolean }) {
  const name = `FIRST_${made++}`;
  const { id } = (await put("global", name, "one")).body;
  await put("global", name, "two");
  await writeFirstFormat({ id, name, version: 1, bytes, inKv });
  await env.DB.prepare("UPDATE versions SET encoding = ? WHERE secret_id = ? AND version = 1").bind(says, id).run();
  return {
    name,
    rollback: () => call(`POST /v1/secrets/${id}/rollback`, { json: { version: 1 } }),
    released: async () => (await resolve({ scopes: ["global"], names: [name] })).body.secrets[name],
  };
}

const TEXT = new TextEncoder().encode("one");

it.each([
  ["inline", false],
  ["in KV", true],
])("a value of the first format (%s) comes back with the encoding that is sealed", async (_, inKv) => {
  const { rollback, released } = await makeSecret({ bytes: TEXT, inKv });
  expect((await rollback()).body).toMatchObject({ version: 3, encoding: "utf8" });
  expect(await released()).toMatchObject({ value: "one", encoding: "utf8" });
});

it.each([
  ["inline", false],
  ["in KV", true],
])("a value of the first format (%s) whose row says another encoding is refused, until somebody who may write has said it too", async (_, inKv) => {
  const { name, rollback, released } = await makeSecret({ bytes: TEXT, says: "base64", inKv });
  const refused = await rollback();
  expect([refused.status, refused.body.code]).toEqual([412, "version-conflict"]);
  expect(refused.body.detail).toContain("says base64 where the secret is utf8 now");
  expect(await released()).toMatchObject({ value: "two", version: 2 });
  await put("global", name, "AAAA", { fields: { encoding: "base64" } });
  expect((await rollback()).status).toBe(200);
  expect(await released()).toMatchObject({ value: btoa("one"), encoding: "base64" });
});

it("a value of the first format that is said to be text and is none is not what was written", async () => {
  const { rollback, released } = await makeSecret({ bytes: new Uint8Array([0xff, 0xfe]) });
  const refused = await rollback();
  expect([refused.status, refused.body.code]).toEqual([500, "integrity-failed"]);
  expect(await released()).toMatchObject({ value: "two" });
});
