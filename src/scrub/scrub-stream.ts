import type { Scrubbing } from "./create-scrubber.ts";

/** A stream that lets everything through but the values that are scrubbed. */
export function scrubStream(scrubbing: Scrubbing): TransformStream<Uint8Array, Uint8Array> {
  const scrubber = scrubbing();
  const give = (bytes: Uint8Array, to: TransformStreamDefaultController<Uint8Array>) => {
    if (bytes.length > 0) to.enqueue(bytes);
  };
  return new TransformStream({
    transform: (chunk, to) => give(scrubber.push(chunk), to),
    flush: (to) => give(scrubber.end(), to),
  });
}
