import type { Scrubbed } from "./create-scrubber.ts";
import { scrubBytes } from "./scrub-bytes.ts";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/** Scrubs values from a text, a header's for example, as its bytes in UTF-8 would be. */
export function scrubText(text: string, values: Scrubbed): string {
  return DECODER.decode(scrubBytes(ENCODER.encode(text), values));
}
