import { createScrubber, type Scrubbed } from "./create-scrubber.ts";

/** A stream that lets everything through but values. */
export function scrubStream(values: Scrubbed): TransformStream<Uint8Array, Uint8Array> {
  const scrubber = createScrubber(values);
  const give = (bytes: Uint8Array, to: TransformStreamDefaultController<Uint8Array>) => {
    if (bytes.length > 0) to.enqueue(bytes);
  };
  return new TransformStream({
    transform: (chunk, to) => give(scrubber.push(chunk), to),
    flush: (to) => give(scrubber.end(), to),
  });
}
