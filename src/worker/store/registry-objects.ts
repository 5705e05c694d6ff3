import { withDeadline } from "../with-deadline.ts";

/** How long KV may take, in milliseconds. */
const DEADLINE = 5_000;
/** How long a location may keep its copy, or that it has none, in seconds: the least KV takes. */
const CACHE_TTL = 30;
/** How many objects one KV read names: of the largest ones, as much as it may answer at once. */
const OBJECTS_PER_READ = 20;
const PREFIX = "r/";
const LAST = 9_999_999_999_999;

/** What the name of a registry object says. It is signed in the object, too. */
export interface ObjectName {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly full: boolean;
  readonly part: number;
  readonly parts: number;
}

const NAME = /^r\/(\d{13})\/([fc])(\d{1,5})\.(\d{1,5})\.[0-9a-f]{12}$/;

/** A new name: by its time, the newest first, and for nobody to guess. */
export function nameObject({ at, full, part, parts }: Omit<ObjectName, "name">): string {
  const inverted = String(LAST - at).padStart(13, "0");
  return `${PREFIX}${inverted}/${full ? "f" : "c"}${part}.${parts}.${crypto.randomUUID().replaceAll("-", "").slice(0, 12)}`;
}

function parseName(name: string): ObjectName | undefined {
  const [, inverted, kind, part, parts] = NAME.exec(name) ?? [];
  return kind === undefined ? undefined : { name, at: LAST - Number(inverted), full: kind === "f", part: Number(part), parts: Number(parts) };
}

/** What is in KV under the registry's prefix: up to so many thousands, the newest first, and what has no such name. */
export interface ObjectList {
  readonly names: readonly ObjectName[];
  readonly foreign: readonly string[];
  /** Whether that is all of it. */
  readonly complete: boolean;
}

/** Lists registry objects. Rejects when KV fails or does not answer in time. */
export async function listObjects(kv: KVNamespace, thousands: number): Promise<ObjectList> {
  const found: string[] = [];
  let cursor: string | null = null;
  for (let n = 0; n < thousands; n++) {
    const page: KVNamespaceListResult<unknown> = await withDeadline(kv.list({ prefix: PREFIX, ...(cursor !== null && { cursor }) }), DEADLINE);
    found.push(...page.keys.map(({ name }) => name));
    cursor = page.list_complete ? null : page.cursor;
    if (cursor === null) break;
  }
  const names = found.flatMap((name) => parseName(name) ?? []);
  return { names, foreign: found.filter((name) => parseName(name) === undefined), complete: cursor === null };
}

/** Reads registry objects. What is listed and not there yet is left out. Rejects when KV fails or does not answer in time. */
export async function readObjects(kv: KVNamespace, names: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (let at = 0; at < names.length; at += OBJECTS_PER_READ) {
    const read = kv.get([...names.slice(at, at + OBJECTS_PER_READ)], { type: "text", cacheTtl: CACHE_TTL });
    for (const [name, text] of await withDeadline(read, DEADLINE)) if (text !== null) found.set(name, text);
  }
  return found;
}

/** Puts a registry object into KV. Rejects when KV fails or does not answer in time. */
export function putObject(kv: KVNamespace, name: string, jws: string): Promise<void> {
  return withDeadline(kv.put(name, jws), DEADLINE);
}

/** Removes a registry object. Rejects when KV fails or does not answer in time. */
export function removeObject(kv: KVNamespace, name: string): Promise<void> {
  return withDeadline(kv.delete(name), DEADLINE);
}
