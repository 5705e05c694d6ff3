import { createMemoryCipher, type KeptSealed, type MemoryCipher } from "../envelope/memory-cipher.ts";
import type { SourcedValue } from "../secrets/sources.ts";

/** A value of a store in an isolate's memory, encrypted. Times are milliseconds since 1970. */
interface KeptSource extends KeptSealed {
  readonly org: string;
  readonly size: number;
  readonly encoding: SourcedValue["encoding"];
  readonly version: string;
  readonly mark: string;
  readonly readAt: number;
  readonly until: number;
}

/** What an isolate has read of stores under one configuration. */
export interface KeptSources {
  readonly pending: Map<string, { readonly since: number; readonly done: Promise<unknown> }>;
  readonly values: Map<string, KeptSource>;
  readonly cipher: MemoryCipher;
  bytes: number;
}

/** How much is kept at the most, in bytes, and how much of one organization; the oldest goes first. */
const MOST = 8 * 2 ** 20;
const MOST_OF_ORG = MOST / 8;
const SIZE_OF_REST = 512;

const rooms = new WeakMap<object, KeptSources>();

/** Those under the configuration that a keyring is of: when that is read anew, all of them are gone. */
export function keptSourcesOf(keyring: object): KeptSources {
  const known = rooms.get(keyring);
  if (known) return known;
  const room: KeptSources = { pending: new Map(), values: new Map(), cipher: createMemoryCipher(), bytes: 0 };
  rooms.set(keyring, room);
  return room;
}

/** Keeps what was read, encrypted and bound to what it was read for. */
export async function keepSource(kept: KeptSources, org: string, name: string, value: SourcedValue, readAt: number): Promise<void> {
  const sealed = await kept.cipher.seal(name, value.bytes);
  forget(kept, name);
  const size = sealed.sealed.byteLength + SIZE_OF_REST;
  kept.values.set(name, { org, size, ...sealed, encoding: value.encoding, version: value.version, mark: value.mark, until: value.until, readAt });
  kept.bytes += size;
  let own = 0;
  // From the newest to the oldest.
  for (const [other, { org: owner, size: its }] of [...kept.values].reverse()) {
    if (owner !== org) continue;
    own += its;
    if (own > MOST_OF_ORG) forget(kept, other);
  }
  for (const other of kept.values.keys()) {
    if (kept.bytes <= MOST) break;
    forget(kept, other);
  }
}

/** What was read last, if that was after a time. */
export async function openSource(kept: KeptSources, name: string, after: number): Promise<SourcedValue | undefined> {
  const found = kept.values.get(name);
  if (!found || found.readAt <= after) return undefined;
  const { encoding, version, mark, until } = found;
  return { bytes: await kept.cipher.open(name, found), encoding, version, mark, until };
}

/** Forgets what was read. */
export function forget(kept: KeptSources, name: string): void {
  kept.bytes -= kept.values.get(name)?.size ?? 0;
  kept.values.delete(name);
}
