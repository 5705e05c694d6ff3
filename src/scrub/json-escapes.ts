import { BREAK, type Decoder, type Emit } from "./emit.ts";
import { hexDigit } from "./hex-digit.ts";

const BACKSLASH = 0x5c;
const U = 0x75;
/** What follows a backslash, and what both together stand for (RFC 8259, section 7). */
const SIMPLE = new Map([...'"\\/'].map((character) => [character.charCodeAt(0), character.charCodeAt(0)]));
for (const [letter, code] of Object.entries({ b: 8, t: 9, n: 10, f: 12, r: 13 })) SIMPLE.set(letter.charCodeAt(0), code);
/** How long the escape of a character is at the most: that of two surrogates. */
const LONGEST = 12;

/** Gives each byte on, those of an escape as what they stand for, in UTF-8. JSON has no backslash that begins none: there is a {@link BREAK}. */
export function readJsonEscapes(emit: Emit): Decoder {
  let bytes: number[] = [];
  let starts: number[] = [];
  let end = 0;
  const take: Emit = (byte, from, to) => {
    if (bytes.length === 0 && byte !== BACKSLASH) return emit(byte, from, to);
    if (byte === BREAK) {
      bytes = [];
      starts = [];
      return emit(BREAK, from, to);
    }
    bytes.push(byte);
    starts.push(from);
    end = to;
    const read = readEscape(bytes);
    if (read === "more") return;
    const [first = from] = starts;
    if (read !== "none") {
      bytes = [];
      starts = [];
      for (const part of read) emit(part, first, end);
      return;
    }
    const [, ...rest] = bytes;
    const [, ...restStarts] = starts;
    bytes = [];
    starts = [];
    emit(BREAK, first, restStarts[0] ?? to);
    for (const [at, again] of rest.entries()) take(again, restStarts[at] ?? from, restStarts[at + 1] ?? to);
  };
  return { take, pending: () => bytes, pendingStarts: () => starts };
}

/** The bytes that an escape stands for; "more" where it is not complete, "none" where it is no escape. */
function readEscape(bytes: readonly number[]): readonly number[] | "more" | "none" {
  const [, kind] = bytes;
  if (kind === undefined) return "more";
  if (kind !== U) {
    const code = SIMPLE.get(kind);
    return code === undefined ? "none" : [code];
  }
  const last = bytes[bytes.length - 1] ?? 0;
  const at = (bytes.length - 1) % 6;
  if (at === 0 ? last !== BACKSLASH : at === 1 ? last !== U : hexDigit(last) < 0) return "none";
  if (at < 5) return "more";
  const high = unitOf(bytes, 2);
  if (high < 0xd800 || high > 0xdfff) return utf8(high);
  if (high > 0xdbff) return "none";
  if (bytes.length < LONGEST) return "more";
  const low = unitOf(bytes, 8);
  return low < 0xdc00 || low > 0xdfff ? "none" : utf8(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
}

function unitOf(bytes: readonly number[], from: number): number {
  let unit = 0;
  for (let at = from; at < from + 4; at++) unit = unit * 16 + hexDigit(bytes[at] ?? 0);
  return unit;
}

function utf8(code: number): number[] {
  if (code < 0x80) return [code];
  if (code < 0x800) return [0xc0 | (code >> 6), 0x80 | (code & 63)];
  if (code < 0x10000) return [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)];
  return [0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)];
}

const SIMPLE_OF = new Map([...SIMPLE].map(([letter, code]) => [String.fromCharCode(code), String.fromCharCode(letter)]));

/** With what an escape that is not complete could go on, in small letters, to become one of `character`. */
export function nextInEscape(pending: readonly number[], character: string): string[] {
  const begun = String.fromCharCode(...pending).toLowerCase();
  const units = Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`);
  const simple = SIMPLE_OF.get(character);
  const forms = [units.join(""), ...(simple === undefined ? [] : [`\\${simple}`])];
  return forms.filter((form) => form.startsWith(begun)).map((form) => form.charAt(begun.length));
}
