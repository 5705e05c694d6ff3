import { MAX_NESTING, nestingOf } from "../../contract/json-nesting.ts";
import { keepNumbers } from "../../contract/keep-numbers.ts";

/**
 * What JSON of a store says, to be written as JSON again: with its numbers as they are, because parts of it are values.
 *
 * @throws {SyntaxError} where it is none, or nested so deeply that it could not be written again.
 */
export function parseExactly(text: string): unknown {
  JSON.parse(text);
  // A reviver goes as deep as the value is nested; and how deep that is can be told of JSON only.
  if (nestingOf(text) > MAX_NESTING) throw new SyntaxError("nested too deeply");
  return JSON.parse(text, keepInexact);
}

/** What JavaScript writes as it was stays a number: those of versions are. */
function keepInexact(this: unknown, name: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === "number" && String(value) === context?.source ? value : keepNumbers.call(this, name, value, context);
}
