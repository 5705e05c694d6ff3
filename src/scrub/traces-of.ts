import { textsOf } from "./texts-of.ts";

/**
 * What every form of some values has in it. In a text that has none of it there is nothing to scrub, and that is told in a small part of
 * the time in which a scrubber is made. It shows the values.
 */
export interface Traces {
  /** `false` where it cannot be told: every text may have something. */
  readonly tell: boolean;
  /** Pieces of the values as they are. */
  readonly plain: readonly string[];
  /** In hexadecimal digits. */
  readonly hex: readonly string[];
  /** Pieces of base64, at each of the three places at which a value may begin in a group. */
  readonly base64: readonly string[];
}

/** What is printable in ASCII, without a line's end. */
const PRINTABLE = /^[\x20-\x7e]+$/;
/** A space and what forms write for one; what the two alphabets of base64 write differently. */
const SPACES = /[ +]/;
const DIFFERENT = /[+/]/;
/** The first character that has bits of the value alone, by how many bytes stand before it in its group. */
const FIRST = [0, 2, 3];
const LATIN1 = new TextDecoder("latin1");

/** Makes the traces of values. */
export function tracesOf(values: readonly string[]): Traces {
  const { plain, coded } = textsOf(values, false);
  return {
    tell: values.every((value) => PRINTABLE.test(value)),
    plain: plain.map((text) => longestPiece(LATIN1.decode(text), SPACES)),
    hex: coded.map((text) => text.toHex()),
    base64: coded.flatMap((text) => FIRST.map((first, before) => longestPiece(inBase64(text, before, first), DIFFERENT))),
  };
}

/**
 * Whether a text may have a form of a value in it. `false` only where a scrubber would change nothing: there is no escape in it, and none
 * of the traces.
 */
export function mayHold({ tell, plain, hex, base64 }: Traces, text: string): boolean {
  if (!tell || text.includes("\\") || text.includes("%")) return true;
  if (plain.some((piece) => text.includes(piece))) return true;
  const small = text.toLowerCase();
  if (hex.some((digits) => small.includes(digits))) return true;
  const joined = text.includes("\n") || text.includes("\r") ? text.replaceAll(/[\r\n]+/g, "") : text;
  return base64.some((piece) => joined.includes(piece));
}

/** The characters of base64 that a text alone decides, after so many bytes of a group. */
function inBase64(text: Uint8Array, before: number, first: number): string {
  const bytes = new Uint8Array(before + text.length);
  bytes.set(text, before);
  return bytes.toBase64().slice(first, Math.floor((bytes.length * 8) / 6));
}

function longestPiece(text: string, between: RegExp): string {
  return text.split(between).reduce((longest, piece) => (piece.length > longest.length ? piece : longest), "");
}
