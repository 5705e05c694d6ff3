import { type Automaton, goesOnWith } from "./automaton.ts";
import { readBase64Escapes } from "./base64-escapes.ts";
import { base64Value, couldBeginBase64, LEFT_OVER, sharesBits } from "./base64-groups.ts";
import { earliest } from "./hex-reading.ts";
import type { Reading } from "./reading.ts";
import { createTrack, type Found } from "./track.ts";

/** The characters that may be escaped, and line ends. */
const ESCAPED = ["+", "/", "-", "_"];
const LINE_ENDS = ["\n", "\r"];
/** How many line ends in a row may break base64 up: two of Windows. More would have what has begun wait for as long as nothing else comes. */
const MOST_LINE_ENDS = 4;

/** How many bytes of a text must have been read for a line's end after them to wait: else each line that ends like a text's beginning would. */
const AFTER_LINE_END = 3;

const beginnings = new WeakMap<Automaton, readonly Uint8Array[]>();

/** At each of three places of a group which of its 64 values could begin a text. They are worked out once for all streams. */
function beginningsIn(automaton: Automaton): readonly Uint8Array[] {
  const known = beginnings.get(automaton);
  if (known) return known;
  const made = [0, 1, 2].map(() => new Uint8Array(64));
  // What stands before a text in a group may be any bits.
  for (const byte of automaton.goesOn(0))
    for (const [place, values] of made.entries())
      for (let before = 0; before < 4 ** place; before++) values[(before << (6 - 2 * place)) | (byte >> (2 + 2 * place))] = 1;
  beginnings.set(automaton, made);
  return made;
}

/**
 * Reads base64 and base64url, whatever stands before and after a text before it is encoded: there are four places at which
 * a group of characters may begin, and each is read. Lines may be broken, and characters escaped as JSON and URLs do.
 *
 * @param readEscapes How what is escaped is read.
 */
export function createBase64Reading(automaton: Automaton, found: Found, readEscapes = readBase64Escapes): Reading {
  const ways = [0, 1, 2, 3].map(() => ({ track: createTrack(automaton, found), begun: false }));
  const canBegin = beginningsIn(automaton);
  let count = 0;
  let last = 0;
  let lastStart = 0;
  // What the reading was told of the byte that it takes, and whether that is a line's end.
  let mayBeginHere = true;
  let lineEnded = false;
  let lineEnds = 0;

  const takeCharacter = (value: number, start: number, end: number): void => {
    const mayBegin = mayBeginHere || end - start > 1;
    for (let place = 0; place < 4; place++) {
      const way = ways[(count - place) & 3];
      if (!way) continue;
      if (way.begun && place > 0) {
        way.track.step(sharesBits(last, value, place), lastStart, end);
        way.begun = way.track.begun();
      }
      if (mayBegin && !way.begun && canBegin[place]?.[value] === 1) way.begun = true;
    }
    lineEnds = 0;
    last = value;
    lastStart = start;
    count = (count + 1) & 3;
  };
  const stop = (): void => {
    for (const way of ways) {
      way.track.reset();
      way.begun = false;
    }
  };
  const escapes = readEscapes((byte, start, end) => {
    const value = base64Value(byte);
    if (value >= 0) takeCharacter(value, start, end);
    else if ((byte !== 10 && byte !== 13) || ++lineEnds > MOST_LINE_ENDS) stop();
  });
  const isPending = () => escapes.pending().length > 0;
  const valuesThatItCouldBe = () => ESCAPED.filter(escapes.couldBe).map((character) => base64Value(character.charCodeAt(0)));
  const heldInEscape = (): (number | undefined)[] => {
    const starts = escapes.pendingStarts();
    const escaped = valuesThatItCouldBe().some((value) => canBegin.some((values) => values[value] === 1));
    // What looks like an escape may be none, and the characters in it stand for themselves.
    const values = escapes.pending().map(base64Value);
    const itself = values.findIndex((_, at) => at > 0 && [0, 1, 2].some((place) => couldBeginBase64(automaton, values.slice(at), place)));
    return [escaped ? starts[0] : undefined, starts[itself]];
  };
  return {
    take(byte, position, mayBegin) {
      mayBeginHere = mayBegin || isPending();
      lineEnded = byte === 10 || byte === 13;
      escapes.take(byte, position, position + 1);
      for (const way of ways) if (way.begun) return true;
      return isPending();
    },
    heldFrom() {
      const pending = isPending();
      const staysSo = !pending || (lineEnds < MOST_LINE_ENDS && LINE_ENDS.some(escapes.couldBe));
      const next = valuesThatItCouldBe();
      const held = ways.map(({ track, begun }, offset) => {
        const left = LEFT_OVER[(count - 1 - offset) & 3] ?? 0;
        const bits = last & (2 ** left - 1);
        if (!begun) return undefined;
        const goesOn = (state: number) => {
          if (lineEnded && (automaton.depth[state] ?? 0) < AFTER_LINE_END) return false;
          return (staysSo && goesOnWith(automaton, state, bits, left)) || next.some((value) => goesOnWith(automaton, state, (bits << 6) | value, left + 6));
        };
        return track.heldFrom(goesOn, left > 0 ? lastStart : undefined);
      });
      return earliest(pending ? [...held, ...heldInEscape()] : held);
    },
  };
}
