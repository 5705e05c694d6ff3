import type { Scrubbing } from "./create-scrubber.ts";

/** Scrubs a text, a header's for example, as its bytes in UTF-8 would be. */
export function scrubText(text: string, scrubbing: Scrubbing): string {
  const scrubber = scrubbing();
  const decoder = new TextDecoder();
  return decoder.decode(scrubber.push(new TextEncoder().encode(text)), { stream: true }) + decoder.decode(scrubber.end());
}
