import { type Automaton, goesOnWith } from "./automaton.ts";
import { bitsOfEscape, PERCENT, readPercentEscapes } from "./percent-escapes.ts";
import type { Reading } from "./reading.ts";
import { createTrack, type Found } from "./track.ts";

const PLUS = 0x2b;
const SPACE = 0x20;

/** As forms write a space (`+`): both are one character here, in texts and in the stream. */
export function withoutPlus(byte: number): number {
  return byte === PLUS ? SPACE : byte;
}

/**
 * Reads percent-encoding and that of forms: any byte may be encoded, in small or capital letters. A `%` that encodes nothing
 * stands for itself: the URL parser leaves it.
 *
 * @param automaton Of texts {@link withoutPlus}.
 */
export function createPercentReading(automaton: Automaton, found: Found): Reading {
  const track = createTrack(automaton, found);
  const escapes = readPercentEscapes((byte, start, end) => track.step(withoutPlus(byte), start, end));
  const couldStandForItself = ([percent, digit]: readonly number[], state: number): boolean => {
    if (percent === undefined) return false;
    const after = automaton.child(state, PERCENT);
    if (after === undefined) return false;
    return digit === undefined || automaton.ending[after] === automaton.depth[after] || automaton.child(after, digit) !== undefined;
  };
  return {
    take(byte, position) {
      escapes.take(byte, position, position + 1);
      return track.begun() || escapes.pending().length > 0;
    },
    heldFrom() {
      const pending = escapes.pending();
      const { bits, count } = bitsOfEscape(pending);
      const goesOn = (state: number) => goesOnWith(automaton, state, bits, count) || couldStandForItself(pending, state);
      return track.heldFrom(goesOn, escapes.pendingStarts()[0]);
    },
  };
}
