import { type Automaton, goesOnWith } from "./automaton.ts";
import { base64Characters, base64Value, couldBeginBase64, LEFT_OVER, sharesBits } from "./base64-groups.ts";
import { BREAK } from "./emit.ts";
import { earliest } from "./hex-reading.ts";
import { nextInEscape, readJsonEscapes } from "./json-escapes.ts";
import { bitsOfEscape, PERCENT, readPercentEscapes } from "./percent-escapes.ts";
import type { Reading } from "./reading.ts";
import { createTrack, type Found } from "./track.ts";

/** Of all characters, those of this value and of later ones are the only ones that anybody escapes. */
const FIRST_ESCAPED = 62;
const ESCAPED = ["+", "/", "-", "_"];
const LINE_ENDS = ["\n", "\r"];

/** How many bytes of a text must have been read for a line's end after them to wait: else each line that ends like a text's beginning would. */
const AFTER_LINE_END = 3;

/**
 * Reads base64 and base64url, whatever stands before and after a text before it is encoded: there are four places at which
 * a group of characters may begin, and each is read. Lines may be broken, and characters escaped as JSON and URLs do.
 */
export function createBase64Reading(automaton: Automaton, found: Found): Reading {
  const ways = [0, 1, 2, 3].map(() => ({ track: createTrack(automaton, found), begun: false }));
  const canBegin = [0, 1, 2].map((place) => Uint8Array.from({ length: 64 }, (_, value) => (couldBeginBase64(automaton, [value], place) ? 1 : 0)));
  let count = 0;
  let last = 0;
  let lastStart = 0;
  // What the reading was told of the byte that it takes, and whether that is a line's end.
  let mayBeginHere = true;
  let lineEnded = false;

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
  const percent = readPercentEscapes((byte, start, end) => {
    const value = base64Value(byte);
    if (value >= FIRST_ESCAPED || (value >= 0 && end - start === 1)) takeCharacter(value, start, end);
    else if (byte !== 10 && byte !== 13) stop();
  });
  const json = readJsonEscapes((byte, start, end) => {
    // Nobody escapes what percent-encoding is made of.
    const escaped = end - start > 1;
    if (escaped && (byte === PERCENT || percent.pending().length > 0)) percent.take(BREAK, start, start);
    if (!escaped || byte !== PERCENT) percent.take(byte, start, end);
  });
  const isPending = () => json.pending().length > 0 || percent.pending().length > 0;
  /** Whether what has begun of an escape could become a character. */
  const couldBe = (character: string): boolean => {
    if (json.pending().length > 0) return nextInEscape(json.pending(), character).length > 0;
    const { bits, count } = bitsOfEscape(percent.pending());
    return character.charCodeAt(0) >> (8 - count) === bits;
  };
  const heldInEscape = (): (number | undefined)[] => {
    const escaped = canBegin.some((values) => values.some((may, value) => may === 1 && value >= FIRST_ESCAPED && base64Characters(value).some(couldBe)));
    // What looks like an escape may be none, and the characters in it stand for themselves.
    const itself = [percent, json].map(({ pending, pendingStarts }) => {
      const values = pending().map(base64Value);
      return pendingStarts()[values.findIndex((_, at) => at > 0 && [0, 1, 2].some((place) => couldBeginBase64(automaton, values.slice(at), place)))];
    });
    const [start = percent.pendingStarts()[0]] = json.pendingStarts();
    return [escaped ? start : undefined, ...itself];
  };
  return {
    take(byte, position, mayBegin) {
      mayBeginHere = mayBegin || isPending();
      lineEnded = byte === 10 || byte === 13;
      json.take(byte, position, position + 1);
      for (const way of ways) if (way.begun) return true;
      return isPending();
    },
    heldFrom() {
      const pending = isPending();
      const staysSo = !pending || LINE_ENDS.some(couldBe);
      const none = json.pending().length > 0 && percent.pending().length > 0;
      const next = pending ? ESCAPED.filter(couldBe).map((character) => base64Value(character.charCodeAt(0))) : [];
      const held = ways.map(({ track, begun }, offset) => {
        const left = LEFT_OVER[(count - 1 - offset) & 3] ?? 0;
        const bits = last & (2 ** left - 1);
        if (!begun || none) return undefined;
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
