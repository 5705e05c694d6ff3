import type { KeyChange } from "./change-keys-file.ts";
import { newOidcKey, readOidcKey, rsaKidOf } from "./oidc-key.ts";
import type { WorkerSecrets } from "./worker-secrets.ts";

/**
 * Makes a new `OIDC_KEY`, or the first one. Of the one that signed the public half stays: what it signed is good for five minutes.
 * `before` is that one, `undefined` for none.
 *
 * @throws {KeysFileError} when the key is not usable as it is.
 */
export async function rotateOidc(secrets: Partial<WorkerSecrets>): Promise<KeyChange & { readonly kid: string; readonly before?: string }> {
  const was = readOidcKey(secrets)?.keys[0];
  const fresh = await newOidcKey();
  const kept = was ? [{ kty: was.kty, n: was.n, e: was.e, kid: rsaKidOf(was) }] : [];
  return { secrets: { OIDC_KEY: JSON.stringify({ keys: [fresh, ...kept] }) }, kid: rsaKidOf(fresh), ...(was && { before: rsaKidOf(was) }) };
}
