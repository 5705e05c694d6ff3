import { createCovered, type Part } from "./covered.ts";
import { createSearch, type Searched, searchedOf } from "./create-search.ts";
import { textsOf } from "./texts-of.ts";
import { createWaiting } from "./waiting.ts";

/** Takes a stream chunk by chunk and gives back what may be shown of it so far. */
export interface Scrubber {
  push(chunk: Uint8Array): Uint8Array;
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
  const marked = mark === undefined ? undefined : new TextEncoder().encode(mark);
  // Made for the first stream: there may be none.
  let made: { readonly searched: Searched | undefined } | undefined;
  return () => {
    made ??= { searched: searchedOf(textsOf(values, lines)) };
    if (made.searched === undefined) return { push: (chunk) => new Uint8Array(chunk), end: () => new Uint8Array() };
    return begin(made.searched, marked);
  };
}

function begin(searched: Searched, marked: Uint8Array | undefined): Scrubber {
  const covered = createCovered();
  const waiting = createWaiting();
  const search = createSearch(searched, covered.add, waiting.at);
  let shown = 0;
  const show = (limit: number): Uint8Array => {
    // What begins at the end of a line may not have waited: where it goes on, its beginning was shown, and is not again.
    shown = Math.max(shown, limit);
    const { bytes, from } = waiting.takeBefore(shown);
    return cover(bytes, from, covered.takeBefore(shown), marked);
  };
  return {
    push(chunk) {
      search.take(chunk, waiting.add(chunk));
      return show(search.heldFrom() ?? waiting.end());
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
