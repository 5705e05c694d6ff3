import { importJWK, jwtVerify } from "jose";

interface Env {
  readonly DB: D1Database;
  readonly KV: KVNamespace;
  readonly ROOT_KEY: string;
  readonly KEYRING: string;
  readonly SIGNING_KEY: string;
}

interface Keys {
  readonly kek: CryptoKey;
  readonly verifier: CryptoKey;
}

let keys: Keys | undefined;

/**
 * The least that any correct resolve must do on this runtime: verify the token, read and record in one D1 batch, read
 * KV, unwrap the data key, open the value. No framework, no validation, no search. What Keyhole takes beyond this is its own.
 */
export default {
  async fetch(request, env) {
    keys ??= await importKeys(env);
    const { payload } = await jwtVerify((request.headers.get("Authorization") ?? "").slice(7), keys.verifier, {
      algorithms: ["EdDSA"],
      typ: "at+jwt",
      issuer: "keyhole",
      audience: "keyhole",
    });
    const { names } = (await request.json()) as { names: string[] };
    const [selected] = await env.DB.batch<{ name: string; wrapped_key: string; kv_key: string }>([
      env.DB.prepare("SELECT name, wrapped_key, kv_key FROM floor_secrets WHERE org = ? AND name IN (SELECT value FROM json_each(?))").bind(
        payload.org,
        JSON.stringify(names),
      ),
      env.DB.prepare("INSERT INTO floor_events (at, actor, secrets) VALUES (?, ?, ?)").bind(Date.now(), payload.sub, JSON.stringify(names)),
    ]);
    const rows = selected?.results ?? [];
    const { kek } = keys;
    const texts = await env.KV.get(
      rows.map(({ kv_key }) => kv_key),
      { type: "text", cacheTtl: 86_400 },
    );
    const values = await Promise.all(rows.map(async (row) => [row.name, await open(kek, row, texts.get(row.kv_key) ?? "")]));
    return Response.json({ secrets: Object.fromEntries(values) });
  },
} satisfies ExportedHandler<Env>;

async function open(kek: CryptoKey, { name, wrapped_key }: { name: string; wrapped_key: string }, text: string): Promise<string> {
  const [, iv = "", tag = "", body = ""] = text.split(":");
  const dataKey = await crypto.subtle.unwrapKey("raw", decode(wrapped_key), kek, "AES-KW", "AES-GCM", false, ["decrypt"]);
  return new TextDecoder().decode(
    await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: decode(iv), additionalData: new TextEncoder().encode(JSON.stringify(["keyhole/v1", "acme", "namespace:prod", name, 1])) },
      dataKey,
      decode(body, decode(tag)),
    ),
  );
}

function decode(text: string, after: Uint8Array = new Uint8Array()): Uint8Array {
  const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
  const both = new Uint8Array(bytes.length + after.length);
  both.set(bytes);
  both.set(after, bytes.length);
  return both;
}

async function importKeys({ ROOT_KEY, KEYRING, SIGNING_KEY }: Env): Promise<Keys> {
  const root = await crypto.subtle.importKey("raw", Uint8Array.fromBase64(ROOT_KEY), "AES-KW", false, ["unwrapKey"]);
  const { current, keys: wrapped } = JSON.parse(KEYRING) as { current: string; keys: Record<string, string> };
  const kek = await crypto.subtle.unwrapKey("raw", Uint8Array.fromBase64(wrapped[current] ?? ""), root, "AES-KW", "AES-KW", false, ["unwrapKey"]);
  const { kty, crv, x } = JSON.parse(SIGNING_KEY) as Record<string, string>;
  const verifier = (await importJWK({ kty: kty ?? "", crv: crv ?? "", x: x ?? "" }, "EdDSA")) as CryptoKey;
  return { kek, verifier };
}
