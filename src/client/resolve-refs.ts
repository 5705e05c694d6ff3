import { MAX_NAMES, type ResolveRequest } from "../contract/resolve.ts";
import type { KeepingOptions, ResolveCalls } from "./resolve.ts";

/** Where the secrets of a configuration are looked for. */
export type RefOptions = KeepingOptions & Pick<ResolveRequest, "scopes" | "inherit">;

/**
 * The name in `{secret_key_ref: {store: NAME}}`, or `undefined` for anything else.
 *
 * @throws {TypeError} for something that begins as a reference and is none: filling it in by halves would hide a mistake.
 */
function refName(node: unknown): string | undefined {
  if (typeof node !== "object" || node === null || !Object.hasOwn(node, "secret_key_ref")) return undefined;
  const { secret_key_ref: ref, ...beside } = node as { secret_key_ref: unknown };
  const { store, ...rest } = (typeof ref === "object" && ref !== null ? ref : {}) as { store?: unknown };
  if (typeof store !== "string" || Object.keys(rest).length > 0 || Object.keys(beside).length > 0)
    throw new TypeError("a reference is {secret_key_ref: {store: NAME}} and has nothing beside it");
  return store;
}

/** The values by name, of however many names. Bytes are base64 text. */
export async function resolveNames(calls: Pick<ResolveCalls, "resolve">, names: Iterable<string>, options: RefOptions): Promise<Map<string, string>> {
  const { scopes, inherit, ...how } = options;
  const wanted = [...new Set(names)];
  const values = new Map<string, string>();
  for (let start = 0; start < wanted.length; start += MAX_NAMES) {
    const { secrets } = await calls.resolve({ scopes, inherit, names: wanted.slice(start, start + MAX_NAMES) }, how);
    for (const [name, { value }] of Object.entries(secrets)) values.set(name, value);
  }
  return values;
}

/** A copy of a parsed configuration in which every `{secret_key_ref: {store: NAME}}` is the value. */
export async function resolveRefs<T>(calls: Pick<ResolveCalls, "resolve">, config: T, options: RefOptions = {}): Promise<T> {
  const names = new Set<string>();
  fill(config, (name) => {
    names.add(name);
    return "";
  });
  const values = await resolveNames(calls, names, options);
  return fill(config, (name) => values.get(name) ?? "") as T;
}

function fill(node: unknown, lookUp: (name: string) => string): unknown {
  if (Array.isArray(node)) return node.map((item) => fill(item, lookUp));
  const prototype = typeof node === "object" && node !== null ? Object.getPrototypeOf(node) : undefined;
  // A date or a map is a leaf: copying its fields would lose what it is.
  if (prototype === undefined || (prototype !== null && prototype !== Object.prototype)) return node;
  const name = refName(node);
  if (name !== undefined) return lookUp(name);
  return Object.fromEntries(Object.entries(node as object).map(([key, value]) => [key, fill(value, lookUp)]));
}
