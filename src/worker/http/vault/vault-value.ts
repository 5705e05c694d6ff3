import { invalid } from "../../../contract/problem.ts";
import { valueOfJson } from "../../objects/value-of-json.ts";
import type { SecretValue } from "../../secrets/change.ts";
import { requireShort } from "../parse/parse-value.ts";
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
  const parsed = valueFrom(text, "/data/value");
  requireShort(parsed);
  return { value: parsed, warnings };
}

/**
 * A value given as JSON: text as it is, and anything else as the JSON that it is, so that it is given back as that.
 *
 * @throws {Problem} `invalid-request` where it cannot be stored.
 */
export function valueFrom(json: string, pointer: string): SecretValue {
  const parsed = valueOfJson(json);
  if ("reason" in parsed) throw invalid(pointer, parsed.reason);
  return parsed.value;
}
