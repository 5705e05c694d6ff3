import { MAX_NESTING, NESTED_TOO_DEEP, nestingOf } from "../../contract/json-nesting.ts";
import { invalid } from "../../contract/problem.ts";

/** A JSON value whose numbers are kept as they were written. */
type Json = Map<string, Json> | readonly Json[] | string | boolean | null | NumberText;

/** A number as it was written: `1.0`, `1e400` and `12345678901234567890` stay what they are. */
interface NumberText {
  readonly number: string;
}

/**
 * Applies a merge patch (RFC 7386) to the text of a JSON value. Numbers stay as they are written.
 *
 * @param target The value as it is; `undefined` where there is none.
 * @param patch The text of the patch.
 * @returns The text of the result.
 * @throws {Problem} `invalid-request` where a text is nested too deeply.
 */
export function mergeJson(target: string | undefined, patch: string): string {
  return write(merge(target === undefined ? null : parse(target), parse(patch)));
}

function merge(target: Json, patch: Json): Json {
  if (!(patch instanceof Map)) return patch;
  const merged = new Map(target instanceof Map ? target : []);
  for (const [key, value] of patch) {
    if (value === null) merged.delete(key);
    else merged.set(key, merge(merged.get(key) ?? null, value));
  }
  return merged;
}

/** Reads what `JSON.parse` has checked: it knows what is a number, and says how that was written. */
function parse(text: string): Json {
  if (nestingOf(text) > MAX_NESTING) throw invalid("", NESTED_TOO_DEEP);
  return JSON.parse(text, read) as Json;
}

// A member that is called like one of JavaScript's own is an entry of a map, and nothing else.
function read(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value === "number") return { number: context?.source ?? String(value) } satisfies NumberText;
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return new Map(Object.entries(value));
}

function write(value: Json): string {
  if (value instanceof Map) return `{${[...value].map(([key, member]) => `${JSON.stringify(key)}:${write(member)}`).join(",")}}`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return "number" in value ? value.number : `[${value.map(write).join(",")}]`;
}
