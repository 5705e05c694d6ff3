import { createRemoteJWKSet, customFetch, type RemoteJWKSet } from "jose";
import { z } from "zod";
import { fetchIssuerDocument, IssuerError } from "./fetch-issuer-document.ts";

/** How long what was discovered and fetched is kept, in milliseconds. */
const MAX_AGE = 600_000;
/** An unknown `kid` makes the keys be fetched again, but not more often than this, in milliseconds. */
const COOLDOWN = 60_000;
/** How many issuers an isolate keeps in mind; the one that came first makes room. */
const KEPT_ISSUERS = 100;

const keySets = new Map<string, RemoteJWKSet>();
const discovered = new Map<string, { readonly jwksUri: string; readonly at: number }>();

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** The keys of a JWK Set (RFC 7517) at an address: fetched when they are first needed, then kept, with rotation on an unknown `kid`. */
export function remoteKeys(jwksUri: string, insecure: boolean): RemoteJWKSet {
  return remember(keySets, jwksUri, () =>
    createRemoteJWKSet(new URL(jwksUri), {
      cacheMaxAge: MAX_AGE,
      cooldownDuration: COOLDOWN,
      [customFetch]: (address) => fetchIssuerDocument(address, insecure),
    }),
  );
}

/**
 * The keys of an OpenID provider, found through its configuration (OpenID Connect Discovery 1.0, section 4).
 *
 * @throws {IssuerError} when the configuration cannot be had, or is another issuer's.
 */
export async function issuerKeys(issuer: string, insecure: boolean): Promise<RemoteJWKSet> {
  const known = discovered.get(issuer);
  if (known && Date.now() - known.at < MAX_AGE) return remoteKeys(known.jwksUri, insecure);
  const reply = await fetchIssuerDocument(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, insecure);
  const configuration = discoverySchema.safeParse(await reply.json().catch(() => undefined));
  if (!configuration.success || configuration.data.issuer !== issuer) throw new IssuerError("the issuer's configuration is not its own");
  discovered.delete(issuer);
  remember(discovered, issuer, () => ({ jwksUri: configuration.data.jwks_uri, at: Date.now() }));
  return remoteKeys(configuration.data.jwks_uri, insecure);
}

function remember<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const [oldest] = map.keys();
  if (map.size >= KEPT_ISSUERS && oldest !== undefined) map.delete(oldest);
  const made = make();
  map.set(key, made);
  return made;
}
