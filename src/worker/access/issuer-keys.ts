import { createLocalJWKSet, errors, type JSONWebKeySet } from "jose";
import * as z from "zod";
import { fetchIssuerDocument, type IssuerAccess, IssuerError } from "./fetch-issuer-document.ts";
import type { FindKey } from "./verify-jwt.ts";

/** How long what was discovered and fetched is kept, in milliseconds. */
const MAX_AGE = 600_000;
/** An unknown `kid` makes the keys be fetched again, but not more often than this, in milliseconds. */
const COOLDOWN = 60_000;
/** How many issuers an isolate keeps in mind; the one that came first makes room. */
const KEPT_ISSUERS = 100;

interface KeySet {
  readonly find: FindKey;
  readonly fetchedAt: number;
  /** When a key that it does not have last made it be fetched again. */
  askedAt: number;
}

const keySets = new Map<string, KeySet>();
const discovered = new Map<string, { readonly jwksUri: string; readonly at: number }>();

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** The keys of a JWK Set (RFC 7517) at an address: fetched when they are first needed, then kept, with rotation on an unknown `kid`. */
export function remoteKeys(jwksUri: string, access: IssuerAccess): FindKey {
  const now = access.now.getTime();
  return async (header) => {
    const kept = keySets.get(jwksUri);
    const keys = kept && now - kept.fetchedAt < MAX_AGE ? kept : await fetchKeys(jwksUri, access);
    try {
      return await keys.find(header);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || now - keys.askedAt < COOLDOWN) throw error;
      // Before the fetch, so that a hundred requests at once with made-up kids make one of them and not a hundred.
      keys.askedAt = now;
      return (await fetchKeys(jwksUri, access)).find(header);
    }
  };
}

/** When the keys at an address are next fetched, in milliseconds since 1970; 0 when there are none. */
export function keysDue(jwksUri: string): number {
  const kept = keySets.get(jwksUri);
  return kept ? kept.fetchedAt + MAX_AGE : 0;
}

async function fetchKeys(jwksUri: string, access: IssuerAccess): Promise<KeySet> {
  const find: FindKey = await fetchIssuerDocument(jwksUri, access, (document) => createLocalJWKSet(document as JSONWebKeySet));
  const at = access.now.getTime();
  const keys = { find, fetchedAt: at, askedAt: at };
  keep(keySets, jwksUri, keys);
  return keys;
}

/**
 * The keys of an OpenID provider, found through its configuration (OpenID Connect Discovery 1.0, section 4).
 *
 * @throws {IssuerError} when the configuration cannot be had, or is another issuer's.
 */
export async function issuerKeys(issuer: string, access: IssuerAccess): Promise<FindKey> {
  const now = access.now.getTime();
  const known = discovered.get(issuer);
  if (known && now - known.at < MAX_AGE) return remoteKeys(known.jwksUri, access);
  const address = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const jwksUri = await fetchIssuerDocument(address, access, (document) => {
    const configuration = discoverySchema.parse(document);
    if (configuration.issuer !== issuer) throw new IssuerError("issuer-document-of-another");
    return configuration.jwks_uri;
  });
  keep(discovered, issuer, { jwksUri, at: now });
  return remoteKeys(jwksUri, access);
}

function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  const [oldest] = map.keys();
  if (map.size >= KEPT_ISSUERS && oldest !== undefined) map.delete(oldest);
  map.set(key, value);
}
