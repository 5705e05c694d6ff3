/** How deep a JSON value may be nested that is stored as one: lists and objects, one in the other. */
export const MAX_NESTING = 300;

/** How a value is refused that is nested deeper. */
export const NESTED_TOO_DEEP = `a value is nested at most ${MAX_NESTING} deep`;

/**
 * How deep the text of a JSON value is nested; 0 where it is no list and no object. Text within a string nests nothing.
 *
 * @param json What `JSON.parse` takes: of other text it takes the square of its length.
 */
export function nestingOf(json: string): number {
  let [depth, deepest] = [0, 0];
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === "[" || token === "{") deepest = Math.max(deepest, ++depth);
    else if (token === "]" || token === "}") depth--;
  }
  return deepest;
}
