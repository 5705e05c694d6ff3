import { type Automaton, goesOnWith } from "./automaton.ts";
import type { Reading } from "./reading.ts";
import { createTrack, type Found } from "./track.ts";

/** Reads bytes as they are. */
export function createPlainReading(automaton: Automaton, found: Found): Reading {
  const track = createTrack(automaton, found);
  return {
    take(byte, position) {
      track.step(byte, position, position + 1);
      return track.begun();
    },
    heldFrom: () => track.heldFrom((state) => goesOnWith(automaton, state, 0, 0)),
  };
}
