import { env } from "cloudflare:workers";
import { importKeyring, type Keyring } from "../../src/worker/envelope/keyring.ts";

/** The keyring of the Worker under test. */
export const keyring: Keyring = await importKeyring(env.ROOT_KEY, env.KEYRING);

/** A keyring with another key under the same id. */
export async function otherKeyring(): Promise<Keyring> {
  const key = (await crypto.subtle.generateKey({ name: "AES-KW", length: 256 }, false, ["wrapKey", "unwrapKey"])) as CryptoKey;
  return { ...keyring, keys: new Map([[keyring.current, key]]) };
}
