import { isAhead, type RegistryEntry } from "../../contract/audit-registry.ts";
import { toBase64url } from "../../contract/base64url.ts";
import type { Keyring } from "../envelope/keyring.ts";

/** What is on record outside D1: of each log the state in which it had come furthest. */
export interface Registry {
  /** When the newest object was made, and the newest that has all logs; `null` for none. Milliseconds since 1970. */
  readonly newestAt: number | null;
  readonly fullAt: number | null;
  /** By {@link entryId}. */
  readonly entries: ReadonlyMap<string, RegistryEntry>;
  /** Objects that are not what was signed under their name. They say nothing. */
  readonly refused: number;
}

/** Nothing on record: every log is as it should be. */
export const NO_REGISTRY: Registry = { newestAt: null, fullAt: null, entries: new Map(), refused: 0 };

/** What identifies a log's entry. */
export function entryId({ key, log }: Pick<RegistryEntry, "key" | "log">): string {
  return `${key}:${log}`;
}

/** Adds entries, each unless there is one already by which the log had come further. */
export function mergeEntries(into: Map<string, RegistryEntry>, entries: readonly RegistryEntry[]): void {
  for (const entry of entries) {
    const known = into.get(entryId(entry));
    if (!known || isAhead(entry, known)) into.set(entryId(entry), entry);
  }
}

/** The name that stands for an organization's log outside D1, under a key of the keyring; `undefined` when that is not there. */
export async function nameLog({ macs }: Keyring, key: string, org: string): Promise<Pick<RegistryEntry, "key" | "log"> | undefined> {
  const mac = macs.get(key)?.names;
  if (!mac) return undefined;
  const text = new TextEncoder().encode(JSON.stringify(["keyhole audit log", org]));
  return { key, log: toBase64url(await crypto.subtle.sign("HMAC", mac, text)) };
}

/** The keys under which the registry has entries and that the keyring has. What is under another key cannot be told apart. */
export function keysOf({ entries }: Registry, { macs }: Keyring): string[] {
  return [...new Set([...entries.values()].map(({ key }) => key))].filter((key) => macs.has(key));
}

/** What is on record of an organization's log: an entry for each key, seldom more than one. */
export async function entriesOf(
  registry: Registry,
  keyring: Keyring,
  org: string,
  keys: readonly string[] = keysOf(registry, keyring),
): Promise<RegistryEntry[]> {
  const names = await Promise.all(keys.map((key) => nameLog(keyring, key, org)));
  return names.flatMap((name) => (name && registry.entries.get(entryId(name))) ?? []);
}
