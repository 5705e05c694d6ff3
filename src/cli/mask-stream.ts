import { Transform } from "node:stream";
import { createScrubber, type Scrubber } from "../scrub/create-scrubber.ts";

/** What takes values out of what a program prints: whole ones however short they are, and their lines from eight bytes on. */
export function createMasker(values: readonly string[]): Scrubber {
  return createScrubber(values, { mark: "[masked]", lines: true });
}

/** A stream that lets everything through but values. */
export interface MaskStream {
  readonly stream: Transform;
  /** From now on others, too. */
  add(values: readonly string[]): void;
}

/** Masks `values`, in each form that {@link createScrubber} knows. */
export function maskStream(values: readonly string[]): MaskStream {
  // What is added comes after what is there, which may hold the beginning of a value.
  const maskers = [createMasker(values)];
  const through = (chunk: Uint8Array, from = 0) => maskers.slice(from).reduce((rest, masker) => masker.push(rest), chunk);
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, through(chunk));
    },
    flush(done) {
      done(null, Buffer.concat(maskers.map((masker, at) => through(masker.end(), at + 1))));
    },
  });
  return { stream, add: (more) => void maskers.push(createMasker(more)) };
}
