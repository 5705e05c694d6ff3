import { MAX_NESTING, NESTED_TOO_DEEP, nestingOf } from "../../contract/json-nesting.ts";
import { keepNumbers } from "../../contract/keep-numbers.ts";
import { hasDuplicateKeys } from "../access/has-duplicate-keys.ts";
import type { SecretValue } from "../secrets/change.ts";

/** A value, or why there is none, in words. */
type ParsedValue = { readonly value: SecretValue } | { readonly reason: string };

/**
 * A value that is given as JSON: a text as it is, and anything else as the JSON that it is, so that it is given back as that.
 *
 * @param json As `JSON.stringify` writes it.
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
  const parsed = parse(text);
  if (parsed === undefined) return { reason: "it is not JSON" };
  if (hasDuplicateKeys(text, parsed)) return { reason: "an object in it gives one name twice" };
  // A reviver goes as deep as the value is nested, so that comes first.
  if (nestingOf(text) > MAX_NESTING) return { reason: NESTED_TOO_DEEP };
  return valueOfJson(JSON.stringify(JSON.parse(text, keepNumbers)));
}

/** What JSON says; `undefined`, which JSON cannot say, where a text is none. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
