import { createScrubber, type Scrubbed } from "./create-scrubber.ts";

/** Scrubs values from bytes of which all are there. */
export function scrubBytes(bytes: Uint8Array, values: Scrubbed): Uint8Array<ArrayBuffer> {
  const scrubber = createScrubber(values);
  const [first, last] = [scrubber.push(bytes, true), scrubber.end()];
  const whole = new Uint8Array(first.length + last.length);
  whole.set(first);
  whole.set(last, first.length);
  return whole;
}
