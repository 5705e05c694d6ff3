interface Env {
  readonly DB: D1Database;
  readonly KV: KVNamespace;
  readonly ROOT_KEY: string;
  readonly KEYRING: string;
  readonly SIGNING_KEY: string;
}

interface FloorSecret {
  readonly id: string;
  readonly name: string;
  readonly wrapped_key: string;
  readonly kv_key: string;
}

interface Keys {
  readonly kek: CryptoKey;
  readonly verifier: CryptoKey;
}

let keys: Keys | undefined;
const TEXT = new TextDecoder();
const BYTES = new TextEncoder();
const OPTIONS = { type: "text", cacheTtl: 86_400 } as const;

/**
 * The least that any correct resolve must do on this runtime: verify the token, read and record in one D1 batch, read
 * KV, unwrap the data key, open the value. No framework, no library, no validation, no search. What Keyhole takes beyond
 * this is its own.
 */
export default {
  async fetch(request, env) {
    keys ??= await importKeys(env);
    const payload = await verify((request.headers.get("Authorization") ?? "").slice(7), keys.verifier);
    const { names } = (await request.json()) as { names: string[] };
    const [selected] = await env.DB.batch<FloorSecret>([
      env.DB.prepare("SELECT id, name, wrapped_key, kv_key FROM floor_secrets WHERE org = ? AND name IN (SELECT value FROM json_each(?))").bind(
        payload.org,
        JSON.stringify(names),
      ),
      env.DB.prepare("INSERT INTO floor_events (at, actor, secrets) VALUES (?, ?, ?)").bind(Date.now(), payload.sub, JSON.stringify(names)),
    ]);
    const rows = selected?.results ?? [];
    const { kek } = keys;
    const texts = await readTexts(
      env.KV,
      rows.map(({ kv_key }) => kv_key),
    );
    const values = await Promise.all(rows.map(async (row) => [row.name, await open(kek, row, texts.get(row.kv_key) ?? "")]));
    return Response.json({ secrets: Object.fromEntries(values) });
  },
} satisfies ExportedHandler<Env>;

interface Claims {
  readonly org: string;
  readonly sub: string;
}

/** @throws {Error} when it is not a token of this deployment. */
export async function verify(token: string, verifier: CryptoKey): Promise<Claims> {
  const [header = "", claims = "", signature = ""] = token.split(".");
  const { alg, typ } = JSON.parse(TEXT.decode(decode(header))) as Record<string, unknown>;
  const signed = await crypto.subtle.verify("Ed25519", verifier, decode(signature), BYTES.encode(`${header}.${claims}`));
  const payload = JSON.parse(TEXT.decode(decode(claims))) as Claims & Record<string, unknown>;
  const current = typeof payload.exp === "number" && payload.exp > Date.now() / 1000;
  if (!signed || !current || alg !== "EdDSA" || typ !== "at+jwt" || payload.iss !== "keyhole" || payload.aud !== "keyhole") throw new Error("unauthenticated");
  return payload;
}

/** One key by itself, which is faster; several in one call. */
async function readTexts(kv: KVNamespace, keys: string[]): Promise<Map<string, string | null>> {
  const [only = ""] = keys;
  return keys.length === 1 ? new Map([[only, await kv.get(only, OPTIONS)]]) : kv.get(keys, OPTIONS);
}

async function open(kek: CryptoKey, { id, name, wrapped_key }: FloorSecret, text: string): Promise<string> {
  const [, iv = "", tag = "", body = ""] = text.split(":");
  const dataKey = await crypto.subtle.unwrapKey("raw", decode(wrapped_key), kek, "AES-KW", "AES-GCM", false, ["decrypt"]);
  const additionalData = BYTES.encode(JSON.stringify(["keyhole/v2", "acme", "namespace:prod", name, 1, id, "utf8"]));
  return TEXT.decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv: decode(iv), additionalData }, dataKey, decode(body, decode(tag))));
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
  return { kek, verifier: await importVerifier(SIGNING_KEY) };
}

/** The public half of the signing key. */
export function importVerifier(signingKey: string): Promise<CryptoKey> {
  const { x = "" } = JSON.parse(signingKey) as Record<string, string>;
  return crypto.subtle.importKey("raw", decode(x), "Ed25519", false, ["verify"]);
}
