import type { IdentityKey } from "../store/identity-rows.ts";

/**
 * What an identity token is known by under a trust: a hash of what is signed of it. Not of the signature too, which for
 * some algorithms can be written in another way by whoever has one (ECDSA).
 */
export async function identityKey({ org, name }: { readonly org: string; readonly name: string }, token: string): Promise<IdentityKey> {
  const signed = new TextEncoder().encode(token.slice(0, token.lastIndexOf(".")));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", signed)).toBase64({ alphabet: "base64url", omitPadding: true });
  return { org, trust: name, digest };
}
