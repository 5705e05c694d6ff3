import { base64Characters } from "./base64-groups.ts";
import type { Wanted } from "./texts-of.ts";

/** What a byte may begin: a text as it is or in an encoding with escapes, in hexadecimal digits, in base64. */
export const RAW = 1;
export const HEX = 2;
export const BASE64 = 4;

/** What may begin where, told quickly: by one byte, and by six as far as no escape or line's end is among them. */
export interface Beginnings {
  /** What may begin at `at`, of which up to the end of `bytes` is known. */
  at(bytes: Uint8Array, at: number): number;
  /**
   * The first place from `at` on at which something may begin, or of which that cannot be told yet.
   *
   * @param isLast Whether nothing comes after `bytes`: then all can be told.
   */
  find(bytes: Uint8Array, at: number, isLast: boolean): number;
}

/** How large the tables of three bytes are, by the number of texts: for a few a small one tells nearly as well, and is kept with them. */
const SIZES = [
  { most: 4, bits: 12 },
  { most: 16, bits: 14 },
  { most: Number.POSITIVE_INFINITY, bits: 18 },
] as const;
const HEAD = 2;
const SPECIAL = new Uint8Array(256);
for (const character of "\\%\n\r") SPECIAL[character.charCodeAt(0)] = 1;

/** Each three characters of a form that stand side by side. */
type Three = readonly [readonly number[], readonly number[], readonly number[]];

/**
 * How the forms of texts begin, as bytes that can be kept: the length of the shortest text, up to 6; how many bits a hash has; what begins
 * with each byte; and by their hashes what has some three bytes at its beginning, and some three after those.
 */
export function beginningsTable({ plain, coded }: Wanted): Uint8Array<ArrayBuffer> {
  const { bits } = SIZES.find(({ most }) => plain.length <= most) ?? SIZES[0];
  const mask = 2 ** bits - 1;
  const table = new Uint8Array(HEAD + 256 + 2 * (mask + 1));
  table[0] = Math.min(6, ...plain.map((text) => text.length));
  table[1] = bits;
  const { firsts, starts, nexts } = partsOf(table);
  const note = (kind: number, to: Uint8Array, ways: Three): void => {
    for (const a of ways[0]) for (const b of ways[1]) for (const c of ways[2]) to[hash(a, b, c, mask)] = (to[hash(a, b, c, mask)] ?? 0) | kind;
  };
  const noteForm = (kind: number, first: Three, second: Three): void => {
    for (const a of first[0]) firsts[a] = (firsts[a] ?? 0) | kind;
    note(kind, starts, first);
    note(kind, nexts, second);
  };
  for (const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] of plain) noteForm(RAW, threeOf([a, b, c], asInForms), threeOf([d, e, f], asInForms));
  for (const [a = 0, b = 0, c = 0, d = 0, e = 0] of coded) {
    noteForm(HEX, threeOf([a >> 4, a & 15, b >> 4], hexDigits), threeOf([b & 15, c >> 4, c & 15], hexDigits));
    // By how many bytes of something else stand before it in its first group of four characters.
    const [ab, bc, cd, de] = [((a & 3) << 4) | (b >> 4), ((b & 15) << 2) | (c >> 6), ((c & 3) << 4) | (d >> 4), ((d & 3) << 4) | (e >> 4)];
    noteForm(BASE64, threeOf([a >> 2, ab, bc], base64Characters), threeOf([c & 63, d >> 2, de], base64Characters));
    const second = [upTo(4).map((x) => (x << 4) | (a >> 4)), [((a & 15) << 2) | (b >> 6)], [b & 63]] as const;
    noteForm(BASE64, anyOf(second), threeOf([c >> 2, cd, ((d & 15) << 2) | (e >> 6)], base64Characters));
    const third = [upTo(16).map((x) => (x << 2) | (a >> 6)), [a & 63], [b >> 2]] as const;
    noteForm(BASE64, anyOf(third), threeOf([((b & 3) << 4) | (c >> 4), ((c & 15) << 2) | (d >> 6), d & 63], base64Characters));
  }
  return table;
}

function hash(a: number, b: number, c: number, mask: number): number {
  return ((((a << 6) ^ b) << 6) ^ c) & mask;
}

function partsOf(table: Uint8Array) {
  const size = 2 ** (table[1] ?? 0);
  const [firsts, starts, nexts] = [HEAD, HEAD + 256, HEAD + 256 + size];
  return { firsts: table.subarray(firsts, starts), starts: table.subarray(starts, nexts), nexts: table.subarray(nexts, nexts + size), mask: size - 1 };
}

/** Reads a table of {@link beginningsTable}. */
export function readBeginnings(table: Uint8Array): Beginnings {
  const { firsts, starts, nexts, mask } = partsOf(table);
  const shortest = table[0] ?? 0;
  /** What may begin, of that of which three bytes are right, by the three after those. */
  const goOn = (kinds: number, bytes: Uint8Array, at: number): number => {
    if (shortest < 6 || kinds === 0 || at + 2 >= bytes.length) return kinds;
    const [a, b, c] = [bytes[at] as number, bytes[at + 1] as number, bytes[at + 2] as number];
    return SPECIAL[a] === 1 || SPECIAL[b] === 1 || SPECIAL[c] === 1 ? kinds : kinds & (nexts[hash(a, b, c, mask)] as number);
  };
  // A text of one or two bytes is known by its first alone.
  const short = shortest < 3;
  return {
    at(bytes, at) {
      const a = bytes[at] as number;
      const first = firsts[a] as number;
      if (short || first === 0 || at + 2 >= bytes.length) return first;
      const b = bytes[at + 1] as number;
      const c = bytes[at + 2] as number;
      return SPECIAL[b] === 1 || SPECIAL[c] === 1 ? first : goOn(first & (starts[hash(a, b, c, mask)] as number), bytes, at + 3);
    },
    find(bytes, at, isLast) {
      const end = bytes.length - 2;
      if (short) return at;
      // Every form of a text has as many bytes as it, or more.
      if (at >= end) return isLast ? bytes.length : at;
      if (SPECIAL[bytes[at] ?? 0] === 1 || SPECIAL[bytes[at + 1] ?? 0] === 1) return at;
      let now = ((bytes[at] ?? 0) << 6) ^ (bytes[at + 1] ?? 0);
      for (let from = at; from < end; from++) {
        const last = bytes[from + 2] as number;
        now = ((now << 6) ^ last) & mask;
        if (SPECIAL[last] !== 0) return from;
        const kinds = starts[now] as number;
        if (kinds !== 0 && goOn(kinds, bytes, from + 3) !== 0) return from;
      }
      return isLast ? bytes.length : end;
    },
  };
}

function threeOf([a, b, c]: readonly [number, number, number], ways: (one: number) => readonly number[]): Three {
  return [ways(a), ways(b), ways(c)];
}

function anyOf([first, second, third]: Three): Three {
  return [inBase64(first), inBase64(second), inBase64(third)];
}

function asInForms(byte: number): number[] {
  return byte === 0x20 || byte === 0x2b ? [0x20, 0x2b] : [byte];
}

function hexDigits(value: number): number[] {
  const digit = value.toString(16);
  return [digit, digit.toUpperCase()].map((text) => text.charCodeAt(0));
}

function inBase64(values: readonly number[]): number[] {
  return values.flatMap(base64Characters);
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, value) => value);
}
