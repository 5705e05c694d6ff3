import { isSecretName } from "../contract/grammar.ts";
import { MAX_NAMES } from "../contract/max-names.ts";
import { KeyholeError } from "./keyhole-error.ts";
import { fillText } from "./text-references.ts";
import type { RefOptions, ResolveCalls } from "./types/resolve.ts";

/** The key under which a value takes the place of a reference that has keys beside it, unless another is named. */
export const USUAL_KEY = "api_key";

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

/**
 * A copy of a parsed configuration with values in place of its references. A mapping that is `{secret_key_ref: {store: NAME}}`
 * and no more is replaced whole; one with other keys gets `as` in place of `secret_key_ref`, unless told `api_key`.
 * Within a string, `${keyhole:NAME}` is replaced.
 *
 * @throws {TypeError} for something that begins as a reference and is none, and where `as` is there already: filling it in by
 *   halves would hide a mistake.
 */
export async function resolveRefs<T>(calls: Pick<ResolveCalls, "resolve">, config: T, { as = USUAL_KEY, ...options }: RefOptions = {}): Promise<T> {
  const names = new Set<string>();
  fill(config, as, (name) => {
    names.add(name);
    return "";
  });
  const values = await resolveNames(calls, names, options);
  return fill(config, as, (name) => resolvedValue(values, name)) as T;
}

/** The value of a name that was resolved. */
export function resolvedValue(values: ReadonlyMap<string, string>, name: string): string {
  const value = values.get(name);
  if (value === undefined) throw new KeyholeError("unexpected-reply", `The reply has no ${name}, which was asked for.`);
  return value;
}

function fill(node: unknown, as: string, lookUp: (name: string) => string): unknown {
  if (typeof node === "string") return fillText(node, lookUp);
  if (Array.isArray(node)) return node.map((item) => fill(item, as, lookUp));
  const prototype = typeof node === "object" && node !== null ? Object.getPrototypeOf(node) : undefined;
  // A date or a map is a leaf: copying its fields would lose what it is.
  if (prototype === undefined || (prototype !== null && prototype !== Object.prototype)) return node;
  const members = Object.entries(node as object);
  const isReference = members.some(([key]) => key === REF);
  if (isReference && members.length === 1) return lookUp(refName(members[0]?.[1]));
  if (isReference && Object.hasOwn(node as object, as)) throw new TypeError(`beside a ${REF} there is ${as} already: name another key`);
  return Object.fromEntries(members.map(([key, value]) => (key === REF ? [as, lookUp(refName(value))] : [key, fill(value, as, lookUp)])));
}

const REF = "secret_key_ref";

/** The name in `{store: NAME}`. */
function refName(ref: unknown): string {
  const { store, ...rest } = (typeof ref === "object" && ref !== null ? ref : {}) as { store?: unknown };
  if (Object.keys(rest).length === 0 && isSecretName(store)) return store;
  throw new TypeError("a reference is secret_key_ref: {store: NAME}, where NAME is the name of a secret");
}
