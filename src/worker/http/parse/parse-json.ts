import { invalid, Problem } from "../../../contract/problem.ts";
import { hasDuplicateKeys } from "../../access/has-duplicate-keys.ts";
import { requireText } from "./parse-value.ts";

/**
 * What a JSON body says. Nothing of it may get lost without a word: one that is not UTF-8 (RFC 8259, section 8.1) would be
 * read with replacement characters, so a value would be stored that nobody sent; of a name that is given twice one value would
 * be dropped; and the validators leave out the name
 * `__proto__`, so a trust would lack a condition, or an import a secret.
 *
 * @throws {Problem} `invalid-request`, or `unsupported-media-type` when it says that it is in another character set.
 */
export function parseJson(bytes: Uint8Array, contentType: string, numbersAsText = false): unknown {
  const text = requireText(bytes, contentType);
  const json = parse(text, numbersAsText);
  if (hasDuplicateKeys(text, json)) throw invalid("", "an object gives one name twice, and only one of the two values would count");
  // A name in JSON may also be written with escapes.
  if (/__proto__|\\u/.test(text) && holdsProto(json)) throw invalid("", "the name __proto__ is not taken");
  return json;
}

/** What a reviver is told of a primitive value beside the value: how it is written. */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
const numberAsText: Reviver = (_, value, { source }) => (typeof value === "number" ? source : value);

function parse(text: string, numbersAsText: boolean): unknown {
  try {
    return JSON.parse(text, numbersAsText ? (numberAsText as (key: string, value: unknown) => unknown) : undefined);
  } catch {
    throw new Problem("invalid-request", "The body is not what its Content-Type says: it could not be parsed.");
  }
}

/** Whether a member at any depth has this name. Only what can hold one is kept meanwhile: a large body must not take many times its size. */
function holdsProto(json: unknown): boolean {
  const left: object[] = [];
  const visit = (value: unknown): void => {
    if (typeof value === "object" && value !== null) left.push(value);
  };
  visit(json);
  for (let next = left.pop(); next; next = left.pop()) {
    if (Object.hasOwn(next, "__proto__")) return true;
    if (Array.isArray(next)) for (const member of next) visit(member);
    else for (const name in next) visit((next as Record<string, unknown>)[name]);
  }
  return false;
}
