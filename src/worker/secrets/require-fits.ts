import { Problem } from "../../contract/problem.ts";
import { MAX_RELEASED_BYTES } from "../../contract/resolve.ts";

/**
 * Refuses values that are too large for one answer together.
 *
 * @throws {Problem} `answer-too-large`.
 */
export function requireFits(sizes: readonly number[]): void {
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  if (bytes > MAX_RELEASED_BYTES)
    throw new Problem(
      "answer-too-large",
      `The values that apply have ${bytes} bytes, and an answer has at most ${MAX_RELEASED_BYTES}; name the ones you need.`,
    );
}
