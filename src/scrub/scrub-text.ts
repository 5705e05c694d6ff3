import { createScrubber } from "./create-scrubber.ts";

/** Scrubs values from a text, as {@link createScrubber} does from its bytes in UTF-8: from a header for example. */
export function scrubText(text: string, values: readonly (string | Uint8Array)[]): string {
  const scrubber = createScrubber(values);
  const decoder = new TextDecoder();
  return decoder.decode(scrubber.push(new TextEncoder().encode(text)), { stream: true }) + decoder.decode(scrubber.end());
}
