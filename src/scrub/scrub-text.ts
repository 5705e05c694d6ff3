import { createScrubber, type Scrubbed } from "./create-scrubber.ts";

/** Scrubs values from a text, a header's for example, as its bytes in UTF-8 would be. */
export function scrubText(text: string, values: Scrubbed): string {
  const scrubber = createScrubber(values);
  const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
  return decoder.decode(scrubber.push(new TextEncoder().encode(text)), { stream: true }) + decoder.decode(scrubber.end());
}
