import { createLocalJWKSet, errors, type JSONWebKeySet } from "jose";
import * as z from "zod";
import { documentKey, fetchIssuerDocument, type IssuerAccess, IssuerError, type Pauses } from "./fetch-issuer-document.ts";
import { keepLatest } from "./keep-latest.ts";
import type { FindKey } from "./verify-jwt.ts";

/** How long what was discovered and fetched is kept, in milliseconds. */
const MAX_AGE = 600_000;
/** An unknown `kid` makes the keys be fetched again at once, but not more often than this, in milliseconds. */
const COOLDOWN = 10_000;
/** How many issuers an isolate keeps in mind; the one that was longest not asked for makes room. */
const KEPT_ISSUERS = 100;

interface FoundKeys {
  readonly find: FindKey;
  /** What its keys are called. */
  readonly kids: ReadonlySet<unknown>;
}

interface KeySet extends FoundKeys {
  readonly fetchedAt: number;
  /** When a key that it does not have last made it be fetched again; `-Infinity` for never. */
  askedAt: number;
}

/** Where an issuer's keys are. */
export interface RemoteKeys {
  /** Exactly as its tokens name it. */
  readonly issuer: string;
  readonly jwksUrl: string;
}

/** What an isolate keeps in mind of issuers. */
interface Memory {
  readonly keySets: Map<string, KeySet>;
  readonly discovered: Map<string, { readonly configuration: IssuerConfiguration; readonly at: number }>;
  readonly pauses: Pauses;
}

const empty = (): Memory => ({ keySets: new Map(), discovered: new Map(), pauses: new Map() });
/** Whatever trusts there are, they take no room from the issuers that the deployment itself trusts. */
const memories = { deployment: empty(), trusts: empty() };
/** For whom an issuer is asked. */
export type AskedFor = keyof typeof memories;

const discoverySchema = z.looseObject({ issuer: z.string(), jwks_uri: z.url() });
/** What an issuer says of itself (OpenID Connect Discovery 1.0, section 3). */
export type IssuerConfiguration = z.output<typeof discoverySchema>;
const keySetSchema = z.object({ keys: z.array(z.looseObject({})) });

/** The keys of a JWK Set (RFC 7517), by a token's header. */
export function readKeys(document: unknown): FoundKeys {
  const { keys } = keySetSchema.parse(document);
  // A SPIFFE trust bundle says of the keys of JWTs that they are for those (JWT-SVID, section 4 of the trust domain's bundle).
  const signing = keys.map((key) => (key.use === "jwt-svid" ? { ...key, use: "sig" } : key));
  return { find: createLocalJWKSet({ keys: signing } as JSONWebKeySet), kids: new Set(keys.map(({ kid }) => kid)) };
}

/**
 * The keys of a JWK Set at an address: fetched when they are first needed, then kept. A `kid` that is not among them makes
 * them be fetched again at once, so a key that the issuer has just begun to use is found.
 */
export function remoteKeys(where: RemoteKeys, access: IssuerAccess, whose: AskedFor): FindKey {
  const { keySets } = memories[whose];
  const now = access.now.getTime();
  return async (header) => {
    const kept = used(keySets, keysKey(where));
    const keys = kept && now - kept.fetchedAt < MAX_AGE ? kept : await fetchKeys(where, access, whose, -Infinity);
    try {
      return await keys.find(header);
    } catch (error) {
      // One that is known and does not fit the algorithm is not going to, and of keys that this very request has fetched nothing newer is to be had.
      const rotated = error instanceof errors.JWKSNoMatchingKey && typeof header.kid === "string" && !keys.kids.has(header.kid);
      if (!rotated || keys !== kept) throw error;
      // Whether the issuer has it by now is not known: whoever asks again in a moment learns it.
      if (now - keys.askedAt < COOLDOWN) throw new IssuerError("issuer-asked-before", { cause: error });
      // Before the fetch, so that a hundred requests at once with made-up kids make one of them and not a hundred.
      keys.askedAt = now;
      return (await fetchKeys(where, access, whose, now)).find(header);
    }
  };
}

/** When the keys of an issuer that the deployment trusts are next fetched, in milliseconds since 1970; 0 when there are none. */
export function keysDue(where: RemoteKeys): number {
  const kept = memories.deployment.keySets.get(keysKey(where));
  return kept ? kept.fetchedAt + MAX_AGE : 0;
}

function keysKey({ issuer, jwksUrl }: RemoteKeys): string {
  return documentKey({ issuer, role: "keys", address: jwksUrl });
}

async function fetchKeys(where: RemoteKeys, access: IssuerAccess, whose: AskedFor, askedAt: number): Promise<KeySet> {
  const { keySets, pauses } = memories[whose];
  const found = await fetchIssuerDocument({ issuer: where.issuer, role: "keys", address: where.jwksUrl }, access, pauses, readKeys);
  const keys = { ...found, fetchedAt: access.now.getTime(), askedAt };
  keepLatest(keySets, keysKey(where), keys, KEPT_ISSUERS);
  return keys;
}

/**
 * The keys of the OpenID provider of a trust, found through its configuration.
 *
 * @throws {IssuerError} when the configuration cannot be had, or is another issuer's.
 */
export async function issuerKeys(issuer: string, access: IssuerAccess): Promise<FindKey> {
  const { jwks_uri: jwksUrl } = await issuerConfiguration(issuer, access);
  return remoteKeys({ issuer, jwksUrl }, access, "trusts");
}

/**
 * What the OpenID provider of a trust says of itself (OpenID Connect Discovery 1.0, section 4): fetched when it is first needed, then kept.
 *
 * @throws {IssuerError} when it cannot be had, or is another issuer's.
 */
export async function issuerConfiguration(issuer: string, access: IssuerAccess): Promise<IssuerConfiguration> {
  const { discovered, pauses } = memories.trusts;
  const now = access.now.getTime();
  const known = used(discovered, issuer);
  if (known && now - known.at < MAX_AGE) return known.configuration;
  const address = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const configuration = await fetchIssuerDocument({ issuer, role: "configuration", address }, access, pauses, (document) => {
    const read = discoverySchema.parse(document);
    if (read.issuer !== issuer) throw new IssuerError("issuer-document-of-another");
    return read;
  });
  keepLatest(discovered, issuer, { configuration, at: now }, KEPT_ISSUERS);
  return configuration;
}

/** What is kept under a key, which is thereby the last to make room. */
function used<T>(map: Map<string, T>, key: string): T | undefined {
  const kept = map.get(key);
  if (kept !== undefined) keepLatest(map, key, kept, KEPT_ISSUERS);
  return kept;
}
