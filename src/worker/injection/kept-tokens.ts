import { createMemoryCipher, type KeptSealed, type MemoryCipher } from "../envelope/memory-cipher.ts";

/** An access token of an isolate's memory, encrypted. */
interface KeptToken extends KeptSealed {
  readonly org: string;
  /** Until when it is used, in milliseconds since 1970. */
  readonly until: number;
}

/** The access tokens that an isolate keeps under one configuration. */
export interface KeptTokens {
  /** What is being fetched just now, by name: others wait for it. */
  readonly pending: Map<string, { readonly since: number; readonly done: Promise<unknown> }>;
  readonly tokens: Map<string, KeptToken>;
  readonly cipher: MemoryCipher;
}

/** How many are kept at the most, and how many of one organization, so that none can drive out all that others have; the oldest goes first. */
const MOST = 1_000;
const MOST_OF_ORG = MOST / 8;

const rooms = new WeakMap<object, KeptTokens>();

/** Those under the configuration that a keyring is of: when that is read anew, all of them are gone. */
export function tokensOf(keyring: object): KeptTokens {
  const known = rooms.get(keyring);
  if (known) return known;
  const room: KeptTokens = { pending: new Map(), tokens: new Map(), cipher: createMemoryCipher() };
  rooms.set(keyring, room);
  return room;
}

/**
 * Keeps an access token, encrypted and bound to what it was fetched for.
 *
 * @param org Whose it is.
 * @param name What it was fetched for, all of it.
 */
export async function keepToken({ tokens, cipher }: KeptTokens, org: string, name: string, token: string, until: number): Promise<void> {
  const sealed = await cipher.seal(name, new TextEncoder().encode(token));
  tokens.delete(name);
  tokens.set(name, { org, ...sealed, until });
  const own = [...tokens].filter(([, kept]) => kept.org === org).map(([name]) => name);
  const oldest = own.length > MOST_OF_ORG ? own[0] : tokens.size > MOST ? [...tokens.keys()][0] : undefined;
  if (oldest !== undefined) tokens.delete(oldest);
}

/** The access token that is kept for something, if it may still be used. */
export async function openToken({ tokens, cipher }: KeptTokens, name: string, now: number): Promise<string | undefined> {
  const kept = tokens.get(name);
  if (!kept) return undefined;
  if (kept.until <= now) {
    tokens.delete(name);
    return undefined;
  }
  return new TextDecoder().decode(await cipher.open(name, kept));
}

/** Forgets an access token that was refused, and no newer one: another request may have put that there while this one is looked at. */
export async function dropToken(kept: KeptTokens, name: string, refused: string, now: number): Promise<void> {
  const was = kept.tokens.get(name);
  if ((await openToken(kept, name, now)) === refused && kept.tokens.get(name) === was) kept.tokens.delete(name);
}
