/** In the place of a byte: what stands here is no encoding of anything, so nothing goes on over it. */
export const BREAK = -1;

/** Takes a byte that stands from `start` to `end` of the stream, or {@link BREAK}. */
export type Emit = (byte: number, start: number, end: number) => void;

/** Reads an encoding in which some bytes are escaped, and gives what they stand for on. */
export interface Decoder {
  readonly take: Emit;
  /** The bytes of an escape that is not complete. */
  pending(): readonly number[];
  /** Where each of them begins. */
  pendingStarts(): readonly number[];
}
