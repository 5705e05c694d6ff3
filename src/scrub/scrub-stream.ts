import { createScrubber, type ScrubOptions } from "./create-scrubber.ts";

/** A stream that lets everything through but `values`, in each form that {@link createScrubber} knows. */
export function scrubStream(values: readonly (string | Uint8Array)[], options: ScrubOptions = {}): TransformStream<Uint8Array, Uint8Array> {
  const scrubber = createScrubber(values, options);
  const give = (bytes: Uint8Array, to: TransformStreamDefaultController<Uint8Array>) => {
    if (bytes.length > 0) to.enqueue(bytes);
  };
  return new TransformStream({
    transform: (chunk, to) => give(scrubber.push(chunk), to),
    flush: (to) => give(scrubber.end(), to),
  });
}
