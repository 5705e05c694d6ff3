import { type Automaton, createAutomaton } from "./automaton.ts";
import { createBase64Reading } from "./base64-reading.ts";
import { BASE64, HEX, RAW } from "./beginnings.ts";
import { createHexReading } from "./hex-reading.ts";
import { createJsonReading, createNestedJsonReading } from "./json-reading.ts";
import { createPercentReading, withoutPlus } from "./percent-reading.ts";
import { createPlainReading } from "./plain-reading.ts";
import type { Reading } from "./reading.ts";
import type { Wanted } from "./texts-of.ts";
import type { Found } from "./track.ts";
import { createUnescapedBase64Reading } from "./unescaped-base64-reading.ts";

/** A reading, and when it is to be told of a byte though nothing has begun in it. */
export interface Told {
  readonly reading: Reading;
  /** Where this may begin. */
  readonly kind: number;
  /** At these bytes. */
  readonly escapes: readonly number[];
}

const BACKSLASH = 0x5c;
const PERCENT = 0x25;

/** The automata of the texts as they are, as forms write spaces, and of those that are looked for in codes. */
export interface Automata {
  readonly own: Automaton;
  readonly spaced: Automaton;
  readonly inCode: Automaton | undefined;
}

/** Makes the automata of what is looked for. */
export function automataOf({ plain, coded }: Wanted): Automata {
  const own = createAutomaton(plain);
  const spaced = plain.some((text) => text.includes(0x2b)) ? createAutomaton(plain.map((text) => text.map(withoutPlus))) : own;
  const inCode = coded.length === plain.length ? own : createAutomaton(coded);
  return { own, spaced, inCode: coded.length === 0 ? undefined : inCode };
}

/** All ways in which a stream is read, at its beginning. `byteAt` tells what stands at a position. */
export function readingsOf({ own, spaced, inCode }: Automata, found: Found, byteAt: (position: number) => number): Told[] {
  const raw: Told[] = [
    { reading: createPlainReading(own, found), kind: RAW, escapes: [] },
    { reading: createJsonReading(own, found), kind: RAW, escapes: [BACKSLASH] },
    { reading: createNestedJsonReading(own, found), kind: RAW, escapes: [BACKSLASH] },
    { reading: createPercentReading(spaced, found), kind: RAW, escapes: [PERCENT] },
  ];
  if (!inCode) return raw;
  const foundInBase64: Found = (start, end) => betweenLineEnds(start, end, byteAt, found);
  return [
    ...raw,
    { reading: createHexReading(inCode, found), kind: HEX, escapes: [] },
    { reading: createBase64Reading(inCode, foundInBase64), kind: BASE64, escapes: [BACKSLASH, PERCENT] },
    { reading: createUnescapedBase64Reading(inCode, foundInBase64), kind: BASE64, escapes: [BACKSLASH, PERCENT] },
  ];
}

/** Line ends that break base64 into lines stay: they are no part of it, and others read the stream by them. */
function betweenLineEnds(start: number, end: number, byteAt: (position: number) => number, found: Found): void {
  let from = start;
  for (let at = start; at < end; at++) {
    const byte = byteAt(at);
    if (byte !== 10 && byte !== 13) continue;
    if (at > from) found(from, at);
    from = at + 1;
  }
  if (end > from) found(from, end);
}
