import { createSearch, searchedOf } from "./create-search.ts";
import { textsOf } from "./texts-of.ts";

/** What is told of a stream, chunk by chunk. */
export interface Finder {
  /** Takes the next bytes. Returns where values begin that were found by then, counted from the beginning of the stream. */
  push(chunk: Uint8Array): readonly number[];
}

/** Says where values stand in a stream, in each form that a scrubber takes out. Returns what begins with a stream. */
export function findValues(values: readonly (string | Uint8Array)[]): () => Finder {
  const searched = searchedOf(textsOf(values, false));
  if (searched === undefined) return () => ({ push: () => [] });
  return () => {
    let found = new Set<number>();
    let position = 0;
    // Line ends in base64 stay where a value is taken out; where it begins is the same with them.
    const search = createSearch(
      searched,
      (start) => found.add(start),
      () => 0,
    );
    return {
      push(chunk) {
        found = new Set();
        search.take(chunk, position);
        position += chunk.length;
        return [...found];
      },
    };
  };
}
