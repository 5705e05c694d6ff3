import type { TokenFacts } from "./verify-token.ts";

/** How many tokens an isolate remembers, and how long they are at the most, in characters. */
const MOST = 1_000;
const LONGEST = 4_096;

/** What is known of a token. */
interface KnownToken {
  readonly facts: TokenFacts;
  /** What its leases are found by, by what else than the token they are for. */
  readonly keys: Map<string, string>;
}

const rooms = new WeakMap<object, Map<string, KnownToken>>();

/**
 * What a token is remembered by: SHA-256 in base64, so that what shows an isolate's memory shows no token. `undefined` for one that is not
 * remembered because it is too long.
 */
export async function markOfToken(token: string): Promise<string | undefined> {
  if (token.length > LONGEST) return undefined;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token))).toBase64();
}

/**
 * What exactly this token said when it was verified under this configuration, if it would still be accepted. Whether it is in force is
 * another question: only what a lease vouches for may be given for it.
 *
 * @param config When it is read anew, all tokens are forgotten.
 * @param now Milliseconds since 1970.
 */
export function tokenAtHand(config: object, mark: string, now: number): KnownToken | undefined {
  const known = rooms.get(config);
  const token = known?.get(mark);
  if (!token) return undefined;
  known?.delete(mark);
  const { expiresAt, verifiedUntil } = token.facts;
  if ((expiresAt !== null && now >= expiresAt) || (verifiedUntil !== null && now >= verifiedUntil)) return undefined;
  known?.set(mark, token);
  return token;
}

/** Remembers what a token said that has been verified; the one that was not used for longest is forgotten. */
export function rememberToken(config: object, mark: string, facts: TokenFacts): void {
  const known = rooms.get(config) ?? new Map<string, KnownToken>();
  rooms.set(config, known);
  known.delete(mark);
  known.set(mark, { facts, keys: new Map() });
  const [oldest] = known.keys();
  if (known.size > MOST && oldest !== undefined) known.delete(oldest);
}
