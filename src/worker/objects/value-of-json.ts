import { MAX_NESTING, NESTED_TOO_DEEP, nestingOf } from "../../contract/json-nesting.ts";
import { hasDuplicateKeys } from "../access/has-duplicate-keys.ts";
import type { SecretValue } from "../secrets/change.ts";

/** A value, or why there is none, in words. */
type ParsedValue = { readonly value: SecretValue } | { readonly reason: string };

/**
 * A value that is given as JSON: a text as it is, and anything else as the JSON that it is, so that it is given back as that.
 *
 * @param json Without white space, as {@link exactJson} writes it.
 */
export function valueOfJson(json: string): ParsedValue {
  const isText = json.startsWith('"');
  if (!isText && nestingOf(json) > MAX_NESTING) return { reason: NESTED_TOO_DEEP };
  const text = isText ? (JSON.parse(json) as string) : json;
  if (!text.isWellFormed()) return { reason: "the text holds a lone surrogate, which UTF-8 cannot carry" };
  return { value: { bytes: new TextEncoder().encode(text), encoding: isText ? "utf8" : "json", typed: true } };
}

/** {@link valueOfJson} of JSON as somebody wrote it, which may be none. */
export function valueOfJsonText(text: string): ParsedValue {
  if (nestingOf(text) > MAX_NESTING) return { reason: NESTED_TOO_DEEP };
  const json = exactJson(text);
  return json === undefined ? { reason: "it is not JSON, or an object in it gives one name twice" } : valueOfJson(json);
}

/** JSON without white space, in which each number stands as it was written; `undefined` where a text is none that means one thing. */
function exactJson(text: string): string | undefined {
  try {
    if (hasDuplicateKeys(text, JSON.parse(text))) return undefined;
    return JSON.stringify(JSON.parse(text, keepNumbers));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** JSON text that stands for itself when it is written again (ECMA-262, `JSON.rawJSON`), which the types do not know yet. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** A reviver that keeps numbers as they were written: 1.0 and 12345678901234567890 are more than JavaScript makes of them. */
export function keepNumbers(this: unknown, _: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === "number" && context?.source !== undefined ? rawJSON(context.source) : value;
}
