import { type Beginnings, beginningsTable, readBeginnings } from "./beginnings.ts";
import { createCovered, type Part } from "./covered.ts";
import { earliest } from "./hex-reading.ts";
import { type Automata, automataOf, readingsOf, type Told } from "./readings-of.ts";
import { textsOf } from "./texts-of.ts";
import { createWaiting } from "./waiting.ts";

/** Takes a stream chunk by chunk and gives back what may be shown of it so far. */
export interface Scrubber {
  /**
   * Takes what comes next.
   *
   * @param isLast Whether nothing comes after it. Where that is known it takes less time.
   */
  push(chunk: Uint8Array, isLast?: boolean): Uint8Array;
  /** What has waited, when nothing comes any more. */
  end(): Uint8Array;
}

/** How values are scrubbed. */
export interface ScrubOptions {
  /** What stands in the place of each value. Where it is not given there are as many `*` as the form has bytes, but for line ends in base64. */
  readonly mark?: string;
  /** Whether the lines of a value are values, too. */
  readonly lines?: boolean;
}

const STAR = 0x2a;

/** Begins to scrub the same values from another stream. */
export type Scrubbing = () => Scrubber;

/** What is scrubbed: values, or what was prepared for several streams. */
export type Scrubbed = readonly (string | Uint8Array)[] | Scrubbing;

/** Scrubs values from one stream: see {@link prepareScrubber}. */
export function createScrubber(values: Scrubbed, options: ScrubOptions = {}): Scrubber {
  return typeof values === "function" ? values() : prepareScrubber(values, options)();
}

/**
 * Scrubs values from streams of bytes, wherever they are cut: as they are; as JSON writes them in a string, or in one that has
 * JSON in it; percent-encoded; in hexadecimal digits; in base64 and base64url, whatever stands around them, also in lines.
 * Nothing else is changed, and only what is the beginning of such a form waits for what follows. The time is linear.
 */
export function prepareScrubber(values: readonly (string | Uint8Array)[], { mark, lines = false }: ScrubOptions = {}): Scrubbing {
  const wanted = textsOf(values, lines);
  if (wanted.plain.length === 0) return () => ({ push: (chunk) => new Uint8Array(chunk), end: () => new Uint8Array() });
  const marked = mark === undefined ? undefined : new TextEncoder().encode(mark);
  const automata = once(() => automataOf(wanted));
  const beginnings = readBeginnings(beginningsTable(wanted));
  return () => begin(automata, beginnings, marked);
}

/** What can be kept beside values, so that they are scrubbed with less work: of each as much as the first bytes of its forms. */
export function scrubbingTable(values: readonly string[]): Uint8Array<ArrayBuffer> {
  return beginningsTable(textsOf(values, false));
}

/** The same as {@link prepareScrubber} for values of which there is a {@link scrubbingTable}; none of them is empty. */
export function prepareByTable(values: readonly string[], table: Uint8Array): Scrubbing {
  const automata = once(() => automataOf(textsOf(values, false)));
  const beginnings = readBeginnings(table);
  return () => begin(automata, beginnings, undefined);
}

/** What most streams never need: nothing in them looks like the beginning of a value. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const BACKSLASH = 0x5c;
const PERCENT = 0x25;

function begin(automata: () => Automata, beginnings: Beginnings, marked: Uint8Array | undefined): Scrubber {
  const covered = createCovered();
  const waiting = createWaiting();
  let readings: readonly Told[] | undefined;
  // Which readings have begun something, a bit each.
  let begun = 0;
  const take = (byte: number, position: number, may: number): void => {
    if (begun === 0 && may === 0 && byte !== BACKSLASH && byte !== PERCENT) return;
    readings ??= readingsOf(automata(), covered.add, waiting.at);
    for (let at = 0; at < readings.length; at++) {
      const told = readings[at] as Told;
      const mayBegin = (may & told.kind) !== 0;
      if (!mayBegin && (begun & (1 << at)) === 0 && byte !== told.escapes[0] && byte !== told.escapes[1]) continue;
      begun = told.reading.take(byte, position, mayBegin) ? begun | (1 << at) : begun & ~(1 << at);
    }
  };
  let shown = 0;
  const show = (limit: number): Uint8Array => {
    // What begins at the end of a line may not have waited: where it goes on, its beginning was shown, and is not again.
    shown = Math.max(shown, limit);
    const { bytes, from } = waiting.takeBefore(shown);
    return cover(bytes, from, covered.takeBefore(shown), marked);
  };
  return {
    push(chunk, isLast = false) {
      const from = waiting.add(chunk);
      for (let at = 0; at < chunk.length; at++) {
        if (begun === 0) at = beginnings.find(chunk, at, isLast);
        if (at < chunk.length) take(chunk[at] ?? 0, from + at, beginnings.at(chunk, at));
      }
      const held =
        begun === 0 || !readings ? undefined : earliest(readings.map(({ reading }, at) => ((begun & (1 << at)) === 0 ? undefined : reading.heldFrom())));
      return show(held ?? waiting.end());
    },
    end: () => show(waiting.end()),
  };
}

/** Bytes that stand from `from` on, with `parts` of the stream covered. */
function cover(bytes: Uint8Array, from: number, parts: readonly Part[], mark: Uint8Array | undefined): Uint8Array {
  if (!mark) {
    for (const { start, end } of parts) bytes.fill(STAR, start - from, end - from);
    return bytes;
  }
  const shown: Uint8Array[] = [];
  let at = from;
  for (const { start, end, goesOn } of parts) {
    shown.push(bytes.subarray(at - from, start - from));
    if (!goesOn) shown.push(mark);
    at = end;
  }
  shown.push(bytes.subarray(at - from));
  return concat(shown);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
