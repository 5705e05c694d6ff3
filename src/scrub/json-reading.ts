import { type Automaton, goesOnWith } from "./automaton.ts";
import { nextInEscape, readJsonEscapes } from "./json-escapes.ts";
import type { Reading } from "./reading.ts";
import { createTrack, type Found } from "./track.ts";

/** Reads what JSON writes in a string: any character may be escaped in any way that it has. */
export function createJsonReading(automaton: Automaton, found: Found): Reading {
  const track = createTrack(automaton, found);
  const escapes = readJsonEscapes(track.step);
  return {
    take(byte, position) {
      escapes.take(byte, position, position + 1);
      return track.begun() || escapes.pending().length > 0;
    },
    heldFrom() {
      const pending = escapes.pending();
      if (pending.length === 0) return track.heldFrom((state) => goesOnWith(automaton, state, 0, 0));
      const couldGoOn = (text: string) => nextInEscape(pending, text).length > 0;
      return track.heldFrom((state) => charactersFrom(automaton, state).some(couldGoOn), escapes.pendingStarts()[0]);
    },
  };
}

/** Reads what JSON writes in a string that has JSON in it, in which the string is. */
export function createNestedJsonReading(automaton: Automaton, found: Found): Reading {
  const track = createTrack(automaton, found);
  const inner = readJsonEscapes(track.step);
  const outer = readJsonEscapes(inner.take);
  const couldGoOn = (text: string): boolean => {
    const own = outer.pending();
    const next = nextInEscape(inner.pending(), text);
    if (own.length === 0) return inner.pending().length === 0 || next.length > 0;
    // An escape of the outer JSON is a character of one of the inner, or the text's own.
    const wanted = inner.pending().length === 0 ? ["\\", text] : next;
    return wanted.some((character) => nextInEscape(own, character).length > 0 || nextInEscape(own, character.toUpperCase()).length > 0);
  };
  return {
    take(byte, position) {
      outer.take(byte, position, position + 1);
      return track.begun() || inner.pending().length > 0 || outer.pending().length > 0;
    },
    heldFrom() {
      if (inner.pending().length + outer.pending().length === 0) return track.heldFrom((state) => goesOnWith(automaton, state, 0, 0));
      const [pendingFrom] = inner.pending().length > 0 ? inner.pendingStarts() : outer.pendingStarts();
      return track.heldFrom((state) => charactersFrom(automaton, state).some(couldGoOn), pendingFrom);
    },
  };
}

/** The characters that a text may go on with from a state. */
function charactersFrom(automaton: Automaton, state: number): string[] {
  return automaton.goesOn(state).flatMap((byte) => charactersOf(automaton, state, byte));
}

/** Those of which a byte is the first in UTF-8. */
function charactersOf({ goesOn, child }: Automaton, state: number, byte: number): string[] {
  if (byte < 0x80) return [String.fromCharCode(byte)];
  const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
  let ways = [{ at: child(state, byte), bytes: [byte] }];
  for (let more = 1; more < length; more++)
    ways = ways.flatMap(({ at, bytes }) => (at === undefined ? [] : goesOn(at).map((next) => ({ at: child(at, next), bytes: [...bytes, next] }))));
  return ways.map(({ bytes }) => new TextDecoder().decode(Uint8Array.from(bytes)));
}
