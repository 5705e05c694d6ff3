import type { PrivateRsaJwk, PublicRsaJwk } from "../contract/oidc-key-text.ts";
import type { KeyChange } from "./change-keys-file.ts";
import { newOidcKey, readOidcKey, rsaKidOf } from "./oidc-key.ts";
import type { WorkerSecrets } from "./worker-secrets.ts";

/** What a rotation did: `signs` is the key that signs now, `waits` the one that is only published, `before` the one that signed. */
export type OidcRotation = KeyChange & { readonly signs: string; readonly waits?: string; readonly before?: string };

/**
 * Replaces `OIDC_KEY` in two steps, because a cloud keeps the public halves that it has read for minutes and refuses what another key
 * signs: the first step publishes a new key, the second has it sign, and of the one before leaves the public half, since what it signed is
 * good for five minutes. Where there is no key yet, the first one signs at once.
 *
 * @param now Whether a new key signs at once and nothing is left of any other: for one that was stolen.
 * @throws {KeysFileError} when the key is not usable as it is.
 */
export async function rotateOidc(secrets: Partial<WorkerSecrets>, now: boolean): Promise<OidcRotation> {
  const [was, ...others] = readOidcKey(secrets)?.keys ?? [];
  if (!was || now) return write([await newOidcKey()], was);
  const waiting = others.findLast(isPrivate);
  if (waiting) return write([waiting, { kty: was.kty, n: was.n, e: was.e, kid: rsaKidOf(was) }], was);
  const fresh = await newOidcKey();
  return { ...write([was, fresh]), waits: rsaKidOf(fresh) };
}

function isPrivate(key: PrivateRsaJwk | PublicRsaJwk): key is PrivateRsaJwk {
  return key.d !== undefined;
}

function write(keys: readonly [PrivateRsaJwk, ...(PrivateRsaJwk | PublicRsaJwk)[]], before?: PrivateRsaJwk): OidcRotation {
  return { secrets: { OIDC_KEY: JSON.stringify({ keys }) }, signs: rsaKidOf(keys[0]), ...(before && { before: rsaKidOf(before) }) };
}
