import { SignJWT } from "jose";
import type { StoreDefinition } from "../../contract/store.ts";
import { type Provider, storeIssuer } from "../access/store-issuer.ts";
import { audienceOf } from "./drivers.ts";

/** Where Keyhole's identity for a store is made known, and to whom it is shown. */
export interface StoreIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
}

/** How long an identity token is good for, in seconds: it is exchanged at once. */
const LIFETIME = 300;

/** Whether Keyhole's own identity is the credential of a store. */
export function needsIdentity(definition: StoreDefinition): boolean {
  if (definition.kind === "vault") return "role" in definition.credentials;
  return definition.credentials === undefined;
}

/** What the identity tokens of a store say of it. */
export function identityOf(
  { provider, insecureOrigins }: { readonly provider: Pick<Provider, "publicUrl">; readonly insecureOrigins: boolean },
  org: string,
  name: string,
  definition: StoreDefinition,
): StoreIdentity {
  return { issuer: storeIssuer(provider.publicUrl, org), subject: `store:${name}`, audience: audienceOf(definition, { insecureOrigins }) };
}

/**
 * Signs an identity token (OpenID Connect Core 1.0, section 2): an RS256 JWT for five minutes, by which a store's cloud is asked for access.
 * It is no access token of Keyhole's: another type, another key, another issuer.
 */
export function identityToken({ keys }: Pick<Provider, "keys">, { issuer, subject, audience }: StoreIdentity, now: Date): Promise<string> {
  const issuedAt = Math.floor(now.getTime() / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: keys.signer.kid })
    .setIssuer(issuer)
    .setSubject(subject)
    .setAudience(audience)
    .setIssuedAt(issuedAt)
    .setNotBefore(issuedAt)
    .setExpirationTime(issuedAt + LIFETIME)
    .setJti(crypto.randomUUID())
    .sign(keys.signer.key);
}
