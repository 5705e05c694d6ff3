/** What a token says, as far as it counts here. Times are milliseconds since 1970. */
interface Facts {
  readonly expiresAt: number | null;
  /** Of another issuer's token: when that issuer's keys are next due. */
  readonly verifiedUntil: number | null;
}

/** What a token was verified by. */
interface Rules {
  readonly signingKeys: object;
  readonly issuer: string;
  readonly audience: string;
  readonly now: Date;
}

/** A token that has been verified. */
interface Known {
  readonly facts: Facts;
  readonly verifiedAt: number;
}

/** For so long a signature that has been verified is not verified again, in milliseconds. */
const KNOWN = 60_000;
/** Of how many tokens an isolate knows that, and how long one is at the most. */
const MOST = 1_000;
const LONGEST = 4_096;

/** By the keys that they were verified with: when the configuration is read anew, all are verified anew. */
const rooms = new WeakMap<object, Map<string, Known>>();
const ENCODER = new TextEncoder();

/**
 * Verifies one of Keyhole's own tokens, or knows that exactly this one was verified with the same keys within the last minute: then only
 * its times are looked at. Whether it is revoked is for others to ask, as ever. What is kept of a token is its SHA-256, and what it says.
 *
 * @param verify Verifies it, whatever is known.
 * @throws {TokenError} what `verify` throws.
 */
export async function verifyOnce<F extends Facts>({ signingKeys, issuer, audience, now }: Rules, token: string, verify: () => Promise<F>): Promise<F> {
  if (token.length > LONGEST) return verify();
  const known = rooms.get(signingKeys) ?? new Map<string, Known>();
  rooms.set(signingKeys, known);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", ENCODER.encode(token))).toBase64();
  const key = `${hash} ${issuer} ${audience}`;
  const found = known.get(key);
  const at = now.getTime();
  if (found && isStillValid(found, at)) return found.facts as F;
  known.delete(key);
  const facts = await verify();
  // Another issuer's keys are due at times of their own.
  if (facts.verifiedUntil !== null) return facts;
  known.set(key, { facts, verifiedAt: at });
  const [oldest] = known.keys();
  if (known.size > MOST && oldest !== undefined) known.delete(oldest);
  return facts;
}

/** A clock that has been set back proves nothing of what was valid before. */
function isStillValid({ facts: { expiresAt }, verifiedAt }: Known, now: number): boolean {
  return verifiedAt <= now && now < verifiedAt + KNOWN && (expiresAt === null || now < expiresAt);
}
