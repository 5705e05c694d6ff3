/** An access token of an isolate's memory, encrypted. */
interface KeptToken {
  readonly org: string;
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly sealed: ArrayBuffer;
  /** Until when it is used, in milliseconds since 1970. */
  readonly until: number;
}

/** The access tokens that an isolate keeps under one configuration. */
export interface KeptTokens {
  /** What is being fetched just now, by name: others wait for it. */
  readonly pending: Map<string, { readonly since: number; readonly done: Promise<unknown> }>;
  readonly tokens: Map<string, KeptToken>;
  readonly key: Promise<CryptoKey>;
}

/** How many are kept at the most, and how many of one organization, so that none can drive out all that others have; the oldest goes first. */
const MOST = 1_000;
const MOST_OF_ORG = MOST / 8;

const rooms = new WeakMap<object, KeptTokens>();

/** Those under the configuration that a keyring is of: when that is read anew, all of them are gone. */
export function tokensOf(keyring: object): KeptTokens {
  const known = rooms.get(keyring);
  if (known) return known;
  // Non-extractable, and of this isolate alone: whatever shows its memory as texts shows no token.
  const key = crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]) as Promise<CryptoKey>;
  const room: KeptTokens = { pending: new Map(), tokens: new Map(), key };
  rooms.set(keyring, room);
  return room;
}

/**
 * Keeps an access token, encrypted with AES-256-GCM (NIST SP 800-38D) and bound to what it was fetched for.
 *
 * @param org Whose it is.
 * @param name What it was fetched for, all of it.
 */
export async function keepToken({ tokens, key }: KeptTokens, org: string, name: string, token: string, until: number): Promise<void> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: bound(name) }, await key, new TextEncoder().encode(token));
  tokens.delete(name);
  tokens.set(name, { org, iv, sealed, until });
  const own = [...tokens].filter(([, kept]) => kept.org === org).map(([name]) => name);
  const oldest = own.length > MOST_OF_ORG ? own[0] : tokens.size > MOST ? [...tokens.keys()][0] : undefined;
  if (oldest !== undefined) tokens.delete(oldest);
}

/** The access token that is kept for something, if it may still be used. */
export async function openToken({ tokens, key }: KeptTokens, name: string, now: number): Promise<string | undefined> {
  const kept = tokens.get(name);
  if (!kept) return undefined;
  if (kept.until <= now) {
    tokens.delete(name);
    return undefined;
  }
  const opened = await crypto.subtle.decrypt({ name: "AES-GCM", iv: kept.iv, additionalData: bound(name) }, await key, kept.sealed);
  return new TextDecoder().decode(opened);
}

function bound(name: string): Uint8Array {
  return new TextEncoder().encode(name);
}
