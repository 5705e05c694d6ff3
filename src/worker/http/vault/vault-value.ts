import { invalid, Problem } from "../../../contract/problem.ts";
import { MAX_VALUE_BYTES } from "../../../contract/secret.ts";
import type { SecretValue } from "../../secrets/change.ts";
import { memberText } from "./vault-body.ts";

/** How many members that are kept out are named. */
const MOST_NAMED = 20;

/**
 * The value in a body of one secret: its member `value`, or else `key`. Others are kept out: nobody asked for a second secret.
 *
 * @throws {Problem} `invalid-request`, `value-too-large`.
 */
export function vaultValue(exact: unknown): { readonly value: SecretValue; readonly warnings: readonly string[] } {
  const [value, key] = [memberText(exact, "data", "value"), memberText(exact, "data", "key")];
  if (value !== undefined && key !== undefined && value !== key) throw invalid("/data/key", "value and key are the same secret here, and they differ");
  const text = value ?? key;
  if (text === undefined) throw invalid("/data", "a secret here is its value, or its key");
  const others = Object.keys((exact as { readonly data: object }).data).filter((name) => name !== "value" && name !== "key");
  const warnings = others.slice(0, MOST_NAMED).map((name) => `${JSON.stringify(name.slice(0, 128))} was kept out: a secret here is its value, or its key`);
  return { value: valueFrom(text, "/data/value"), warnings };
}

/** A value given as JSON: text as it is, and anything else as the JSON that it is. */
function valueFrom(json: string, pointer: string): SecretValue {
  const given: unknown = JSON.parse(json);
  if (typeof given !== "string") throw invalid(pointer, "a value is a text");
  if (!given.isWellFormed()) throw invalid(pointer, "the text holds a lone surrogate, which UTF-8 cannot carry");
  const bytes = new TextEncoder().encode(given);
  if (bytes.length > MAX_VALUE_BYTES) throw new Problem("value-too-large", "A value has at most 65,536 bytes.");
  return { bytes, encoding: "utf8" };
}
