import type { Decoder, Emit } from "./emit.ts";
import { hexDigit } from "./hex-digit.ts";

export const PERCENT = 0x25;

/** Gives each byte on, a percent-encoded one (RFC 3986, section 2.1) as what it stands for. What is none stands for itself. */
export function readPercentEscapes(emit: Emit): Decoder {
  let bytes: number[] = [];
  let starts: number[] = [];
  const take: Emit = (byte, from, to) => {
    if (bytes.length === 0 && byte !== PERCENT) return emit(byte, from, to);
    const [first, second] = bytes;
    if (first !== undefined && hexDigit(byte) >= 0) {
      const start = starts[0] ?? from;
      bytes.push(byte);
      starts.push(from);
      if (second === undefined) return;
      bytes = [];
      starts = [];
      return emit(hexDigit(second) * 16 + hexDigit(byte), start, to);
    }
    const [begin = from, middle = from] = starts;
    if (first !== undefined) emit(first, begin, middle);
    if (second !== undefined) emit(second, middle, from);
    // A BREAK goes on as it is.
    bytes = byte === PERCENT ? [byte] : [];
    starts = byte === PERCENT ? [from] : [];
    if (byte !== PERCENT) emit(byte, from, to);
  };
  return { take, pending: () => bytes, pendingStarts: () => starts };
}

/** The first bits of the byte that an escape stands for, as far as it has been read. */
export function bitsOfEscape([, digit]: readonly number[]): { bits: number; count: number } {
  return digit === undefined ? { bits: 0, count: 0 } : { bits: hexDigit(digit), count: 4 };
}
