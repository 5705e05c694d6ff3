import { prepareScrubber, type Scrubbing } from "../../scrub/create-scrubber.ts";
import { scrubBytes } from "../../scrub/scrub-bytes.ts";
import { scrubText } from "../../scrub/scrub-text.ts";
import { mayHold, type Traces, tracesOf } from "../../scrub/traces-of.ts";

/** What must not come back, and how it is found. */
export interface Hidden {
  readonly values: readonly string[];
  readonly traces: Traces;
  /** For what comes as a stream. */
  readonly scrubbing: Scrubbing;
}

/** @param traces Those of the values, where they are known. */
export function hide(values: readonly string[], traces: Traces = tracesOf(values)): Hidden {
  return { values, traces, scrubbing: prepareScrubber(values) };
}

/** A text of which all is there, without what is hidden. Most have nothing of it, and need no scrubber. */
export function shownText(text: string, { traces, scrubbing }: Hidden): string {
  return mayHold(traces, text) ? scrubText(text, scrubbing) : text;
}

/** The same of bytes. */
export function shownBytes(bytes: Uint8Array<ArrayBuffer>, { traces, scrubbing }: Hidden): Uint8Array<ArrayBuffer> {
  return mayHold(traces, LATIN1.decode(bytes)) ? scrubBytes(bytes, scrubbing) : bytes;
}

/** Each byte as a character: a value is ASCII, and so are its forms. */
const LATIN1 = new TextDecoder("latin1");
