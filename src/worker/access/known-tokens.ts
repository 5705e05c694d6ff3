import type { TokenFacts } from "./verify-token.ts";

/** How many tokens an isolate remembers, and how long they are at the most, in characters. */
const MOST = 1_000;
const LONGEST = 4_096;

const rooms = new WeakMap<object, Map<string, TokenFacts>>();

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
export function factsAtHand(config: object, mark: string, now: number): TokenFacts | undefined {
  const known = rooms.get(config);
  const facts = known?.get(mark);
  if (!facts) return undefined;
  known?.delete(mark);
  if ([facts.expiresAt, facts.verifiedUntil].some((end) => end !== null && now >= end)) return undefined;
  known?.set(mark, facts);
  return facts;
}

/** Remembers what a token said that has been verified; the one that was not used for longest is forgotten. */
export function rememberToken(config: object, mark: string, facts: TokenFacts): void {
  const known = rooms.get(config) ?? new Map<string, TokenFacts>();
  rooms.set(config, known);
  known.delete(mark);
  known.set(mark, facts);
  const [oldest] = known.keys();
  if (known.size > MOST && oldest !== undefined) known.delete(oldest);
}
