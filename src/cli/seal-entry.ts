import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";

const SCRYPT = { N: 32_768, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

/** The key for what is kept on a machine, derived with scrypt (RFC 7914) from what is that machine's own. */
export function deriveKey(identity: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => scrypt(identity, salt, 32, SCRYPT, (error, key) => (error ? reject(error) : resolve(key))));
}

/** Seals a text as `v1:<iv>:<tag>:<ciphertext>` in base64url: AES-256-GCM under an IV of its own, bound to `about`. */
export function sealEntry(key: Uint8Array, about: string, text: string): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(about));
  const ciphertext = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return ["v1", ...[iv, cipher.getAuthTag(), ciphertext].map((bytes) => bytes.toString("base64url"))].join(":");
}

/** Opens what {@link sealEntry} made, or gives `undefined` when it is not that, was changed, or is from elsewhere. */
export function openEntry(key: Uint8Array, about: string, entry: string): string | undefined {
  const [, iv = "", tag = "", ciphertext = ""] = /^v1:([\w-]{16}):([\w-]{22}):([\w-]*)$/.exec(entry.trim()) ?? [];
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(iv, "base64url"), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(about)).setAuthTag(Buffer.from(tag, "base64url"));
    return Buffer.concat([decipher.update(Buffer.from(ciphertext, "base64url")), decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}
