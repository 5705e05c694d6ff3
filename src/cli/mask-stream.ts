import { Transform } from "node:stream";
import { createScrubber, type Scrubber } from "../scrub/create-scrubber.ts";

/** What takes values out of what a program prints: whole ones however short they are, and their lines from eight bytes on. */
export function createMasker(values: readonly string[]): Scrubber {
  return createScrubber(values, { mark: "[masked]", lines: true });
}

/** A stream that lets everything through but `values`, in each form that {@link createScrubber} knows. */
export function maskStream(values: readonly string[]): Transform {
  const masker = createMasker(values);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, masker.push(chunk));
    },
    flush(done) {
      done(null, masker.end());
    },
  });
}
