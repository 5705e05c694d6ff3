import { SignJWT } from "jose";
import { readAccessToken } from "../injection/client-credentials.ts";
import type { AzureCloud, AzureStore } from "./azure-store.ts";
import { callStore, jsonOf } from "./call-store.ts";
import { orStandIn } from "./store-address.ts";
import { type DriverNeeds, type StoreCredentials, StoreError } from "./store-driver.ts";
import { bytesOfBase64 } from "./value-bytes.ts";
import type { AccessSource, FetchedAccess } from "./with-access.ts";

const ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/** How long an assertion is good for, in seconds. */
const ASSERTED = 300;
/** The shortest RSA key that signs one, in bits. */
const SHORTEST = 2_048;
/** How long a token is used whose end is not told, in seconds. */
const UNSAID = 300;

/**
 * Access to a vault by Entra's client credentials
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow): with the client's secret, with an
 * assertion that its certificate's key has signed, or, without credentials, with a token of Keyhole's.
 */
export function entraAccess(store: AzureStore, cloud: AzureCloud, credentials: StoreCredentials | undefined, needs: DriverNeeds): AccessSource {
  const url = new URL(`${encodeURIComponent(store.tenant_id)}/oauth2/v2.0/token`, orStandIn(cloud.authority, needs.standIns?.authority, needs.rules));
  return {
    from: ["entra", url.href, store.client_id, cloud.scope, credentials],
    async fetch() {
      const proof = await proofOf(store, cloud, url, credentials, needs);
      const body = new URLSearchParams({ grant_type: "client_credentials", client_id: store.client_id, scope: cloud.scope, ...proof }).toString();
      return fetchToken(url, body, needs);
    },
  };
}

async function fetchToken(url: URL, body: string, needs: DriverNeeds): Promise<FetchedAccess> {
  const headers = new Headers({ Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded" });
  const reply = await callStore(needs, { url, method: "POST", headers, body, repeatable: true, changes: false });
  if (reply.status >= 400) throw new StoreError("credential");
  const access = jsonOf(reply) !== undefined && readAccessToken(reply.status, reply.text);
  if (!access) throw new StoreError("reply");
  return { token: access.token, seconds: access.expiresIn ?? UNSAID };
}

async function proofOf(
  { client_id }: AzureStore,
  { audience }: AzureCloud,
  url: URL,
  credentials: StoreCredentials | undefined,
  needs: DriverNeeds,
): Promise<Readonly<Record<string, string>>> {
  if (!credentials) return { client_assertion_type: ASSERTION, client_assertion: await needs.identityToken(audience) };
  if ("client_secret" in credentials) return { client_secret: credentials.client_secret.replace(/\r?\n$/, "") };
  if (!("private_key" in credentials)) throw new StoreError("credential");
  return { client_assertion_type: ASSERTION, client_assertion: await signAssertion(client_id, url, credentials, needs) };
}

interface Certificate {
  /** PKCS #8, as PEM. */
  readonly private_key: string;
  /** In hexadecimal, as Azure shows it, or base64url: SHA-1 or SHA-256. */
  readonly thumbprint: string;
}

/** https://learn.microsoft.com/entra/identity-platform/certificate-credentials */
async function signAssertion(client: string, url: URL, { private_key, thumbprint }: Certificate, { clock }: DriverNeeds): Promise<string> {
  const { alg, ...named } = headerOf(thumbprint);
  const now = Math.floor(clock() / 1000);
  const key = await importKey(private_key, alg);
  return new SignJWT()
    .setProtectedHeader({ alg, typ: "JWT", ...named })
    .setIssuer(client)
    .setSubject(client)
    .setAudience(url.href)
    .setJti(crypto.randomUUID())
    .setNotBefore(now)
    .setIssuedAt(now)
    .setExpirationTime(now + ASSERTED)
    .sign(key);
}

/** A private key for RSA in PKCS #8, as PEM (RFC 7468, section 10). What the platform says of another one may quote it, and is not kept. */
async function importKey(pem: string, alg: "PS256" | "RS256"): Promise<CryptoKey> {
  const [, base64 = ""] = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/.exec(pem) ?? [];
  const der = bytesOfBase64(base64.replaceAll(/\s/g, ""));
  const name = alg === "PS256" ? "RSA-PSS" : "RSASSA-PKCS1-v1_5";
  const key = der && (await crypto.subtle.importKey("pkcs8", der, { name, hash: "SHA-256" }, false, ["sign"]).catch(() => undefined));
  // A shorter one is no key for these algorithms (RFC 7518, sections 3.3 and 3.5).
  if (!key || (key.algorithm as CryptoKeyRsaKeyAlgorithm).modulusLength < SHORTEST) throw new StoreError("credential");
  return key;
}

/** A certificate is named by its SHA-256 thumbprint with PS256, and by its SHA-1 thumbprint with RS256: Entra takes both pairs. */
function headerOf(thumbprint: string): { readonly alg: "PS256" | "RS256" } & Readonly<Record<string, string>> {
  const bytes = thumbprintOf(thumbprint.trim());
  const named = bytes?.toBase64({ alphabet: "base64url", omitPadding: true });
  if (named !== undefined && bytes?.byteLength === 32) return { alg: "PS256", "x5t#S256": named };
  if (named !== undefined && bytes?.byteLength === 20) return { alg: "RS256", x5t: named };
  throw new StoreError("credential");
}

function thumbprintOf(text: string): Uint8Array | undefined {
  const hex = text.replaceAll(/[\s:]/g, "");
  try {
    return /^(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64})$/.test(hex) ? Uint8Array.fromHex(hex) : Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch {
    return undefined;
  }
}
