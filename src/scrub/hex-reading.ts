import { type Automaton, goesOnWith } from "./automaton.ts";
import { hexDigit } from "./hex-digit.ts";
import type { Reading } from "./reading.ts";
import { createTrack, type Found } from "./track.ts";

/** Reads hexadecimal digits, in small or capital letters, of which the first stands at an even or an odd position. */
export function createHexReading(automaton: Automaton, found: Found): Reading {
  // Bytes that begin at an even position, and those that begin at an odd one; and the first digit of one that is not complete.
  const tracks = [createTrack(automaton, found), createTrack(automaton, found)] as const;
  const firstDigits = new Int8Array(2).fill(-1);
  let last = 0;
  return {
    take(byte, position, mayBegin) {
      const digit = hexDigit(byte);
      const now = position % 2 === 0 ? 0 : 1;
      const before = now === 0 ? 1 : 0;
      const first = firstDigits[before] ?? -1;
      last = position;
      firstDigits.fill(-1);
      if (digit < 0) {
        tracks[0].reset();
        tracks[1].reset();
        return false;
      }
      if (first >= 0) tracks[before].step(first * 16 + digit, position - 1, position + 1);
      if (mayBegin || tracks[now].begun()) firstDigits[now] = digit;
      return firstDigits[now] !== -1 || tracks[before].begun();
    },
    heldFrom() {
      const held = tracks.map((track, at) => {
        const digit = firstDigits[at] ?? -1;
        if (digit < 0) return track.heldFrom((state) => goesOnWith(automaton, state, 0, 0));
        return track.heldFrom((state) => goesOnWith(automaton, state, digit, 4), last);
      });
      return earliest(held);
    },
  };
}

/** The earliest of positions, of which some may not be there. */
export function earliest(positions: readonly (number | undefined)[]): number | undefined {
  let first: number | undefined;
  for (const position of positions) if (position !== undefined && (first === undefined || position < first)) first = position;
  return first;
}
