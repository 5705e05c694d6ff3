import type { Automaton } from "./automaton.ts";
import { BREAK, type Emit } from "./emit.ts";

/** Where a text was found: bytes from `start` on, up to `end`, counted from the beginning of the stream. */
export type Found = (start: number, end: number) => void;

/** One way through an automaton: the bytes that a reading of the stream gives, each with where it stands. */
export interface Track {
  readonly step: Emit;
  /** Forgets what has begun. */
  reset(): void;
  /** Whether a text could have begun. */
  begun(): boolean;
  /**
   * Where the longest beginning of a text stands from whose state what has been read since `goesOn`; `undefined` where none
   * does. `pending` is where that begins, if there is any: it may be all that there is of a text.
   */
  heldFrom(goesOn: (state: number) => boolean, pending?: number): number | undefined;
}

/** Makes a track at its beginning. */
export function createTrack({ next, ending, depth, fallback, longest }: Automaton, found: Found): Track {
  let state = 0;
  // Where the last bytes began, as many as a text has: made when the first one is needed.
  const mask = 2 ** Math.ceil(Math.log2(longest + 1)) - 1;
  let starts: Float64Array | undefined;
  let count = 0;
  const startOf = (length: number): number => starts?.[(count - length) & mask] ?? 0;
  return {
    step(byte, start, end) {
      state = byte === BREAK ? 0 : next(state, byte);
      if (state === 0) return;
      starts ??= new Float64Array(mask + 1);
      starts[count & mask] = start;
      count = (count + 1) & mask;
      const length = ending[state] ?? 0;
      if (length > 0) found(startOf(length), end);
    },
    reset() {
      state = 0;
    },
    begun: () => state !== 0,
    heldFrom(goesOn, pending) {
      for (let at = state; at !== 0; at = fallback[at] ?? 0) if (goesOn(at)) return startOf(depth[at] ?? 0);
      return pending !== undefined && goesOn(0) ? pending : undefined;
    },
  };
}
