import { type Beginnings, beginningsOf } from "./beginnings.ts";
import { earliest } from "./hex-reading.ts";
import { type Automata, automataOf, readingsOf, type Told } from "./readings-of.ts";
import type { Wanted } from "./texts-of.ts";
import type { Found } from "./track.ts";

/** What is looked for, prepared for several streams. */
export interface Searched {
  readonly automata: Automata;
  readonly beginnings: Beginnings;
}

/** Looks for texts in one stream, in every form in which they are written. */
export interface Search {
  /** Takes the next bytes of the stream, which stand from `from` on. */
  take(chunk: Uint8Array, from: number): void;
  /** From where on the stream is the beginning of a form; `undefined` where it is none. */
  heldFrom(): number | undefined;
}

/** Prepares what is looked for; `undefined` where that is nothing. */
export function searchedOf(wanted: Wanted): Searched | undefined {
  return wanted.plain.length === 0 ? undefined : { automata: automataOf(wanted), beginnings: beginningsOf(wanted) };
}

/** Begins to search a stream. `byteAt` tells what stands at a position, as far back as what is held begins. */
export function createSearch({ automata, beginnings }: Searched, found: Found, byteAt: (position: number) => number): Search {
  const readings = readingsOf(automata, found, byteAt);
  // Which readings have begun something, a bit each.
  let begun = 0;
  const take = (byte: number, position: number, may: number): void => {
    for (let at = 0; at < readings.length; at++) {
      const told = readings[at] as Told;
      const mayBegin = (may & told.kind) !== 0;
      if (!mayBegin && (begun & (1 << at)) === 0 && byte !== told.escapes[0] && byte !== told.escapes[1]) continue;
      begun = told.reading.take(byte, position, mayBegin) ? begun | (1 << at) : begun & ~(1 << at);
    }
  };
  return {
    take(chunk, from) {
      for (let at = 0; at < chunk.length; at++) {
        if (begun === 0) at = beginnings.find(chunk, at);
        take(chunk[at] ?? 0, from + at, beginnings.at(chunk, at));
      }
    },
    heldFrom: () => (begun === 0 ? undefined : earliest(readings.map(({ reading }, at) => ((begun & (1 << at)) === 0 ? undefined : reading.heldFrom())))),
  };
}
