import type { Automaton } from "./automaton.ts";
import { LONGEST_ESCAPE, readNoEscapes } from "./base64-escapes.ts";
import { createBase64Reading } from "./base64-reading.ts";
import type { Reading } from "./reading.ts";
import type { Found } from "./track.ts";

const BACKSLASH = 0x5c;
const PERCENT = 0x25;

/** Reads base64 that has no escapes, and whose first characters look like one with what stands before them: `2b` right after a `%`. */
export function createUnescapedBase64Reading(automaton: Automaton, found: Found): Reading {
  const reading = createBase64Reading(automaton, found, readNoEscapes);
  let escapeAt = Number.NEGATIVE_INFINITY;
  let begun = false;
  return {
    take(byte, position, mayBegin) {
      if (byte === BACKSLASH || byte === PERCENT) escapeAt = position;
      // All else is found where escapes are read.
      const mayBeginHere = mayBegin && position - escapeAt < LONGEST_ESCAPE;
      begun = (begun || mayBeginHere) && reading.take(byte, position, mayBeginHere);
      return begun;
    },
    heldFrom: reading.heldFrom,
  };
}
