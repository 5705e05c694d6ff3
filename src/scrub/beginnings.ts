import { base64Characters } from "./base64-groups.ts";
import type { Wanted } from "./texts-of.ts";

/** What a byte may begin: a text as it is or in an encoding with escapes, in hexadecimal digits, in base64. */
export const RAW = 1;
export const HEX = 2;
export const BASE64 = 4;

/** What may begin where, told quickly: by one byte, and by three as far as no escape or line's end is among them. */
export interface Beginnings {
  /** What may begin at `at`, of which up to the end of `bytes` is known. */
  at(bytes: Uint8Array, at: number): number;
  /** The first place from `at` on at which something may begin, or of which that cannot be told yet. */
  find(bytes: Uint8Array, at: number): number;
}

/** How large the table of three bytes is: for a few texts a small one tells nearly as well, and is made for each reply. */
const BITS = { few: 14, many: 18 } as const;
const FEW = 16;
const SPECIAL = new Uint8Array(256);
for (const character of "\\%\n\r") SPECIAL[character.charCodeAt(0)] = 1;

/** How the forms of texts begin. */
export function beginningsOf({ plain, coded }: Wanted): Beginnings {
  const firsts = new Uint8Array(256);
  const mask = 2 ** (plain.length <= FEW ? BITS.few : BITS.many) - 1;
  const hash = (a: number, b: number, c: number) => ((((a << 6) ^ b) << 6) ^ c) & mask;
  const hashes = new Uint8Array(mask + 1);
  const note = (kind: number, ways: readonly (readonly number[])[]): void => {
    const [first = [], second = [], third = []] = ways;
    for (const a of first) {
      firsts[a] = (firsts[a] ?? 0) | kind;
      for (const b of second) for (const c of third) hashes[hash(a, b, c)] = (hashes[hash(a, b, c)] ?? 0) | kind;
    }
  };
  for (const text of plain) note(RAW, [...text.subarray(0, 3)].map(asInForms));
  for (const text of coded) {
    const [a = 0, b = 0, c = 0] = text;
    note(HEX, [a >> 4, a & 15, b >> 4].map(hexDigits));
    note(BASE64, [[a >> 2], [((a & 3) << 4) | (b >> 4)], [((b & 15) << 2) | (c >> 6)]].map(inBase64));
    note(BASE64, [upTo(4).map((x) => (x << 4) | (a >> 4)), [((a & 15) << 2) | (b >> 6)], [b & 63]].map(inBase64));
    note(BASE64, [upTo(16).map((x) => (x << 2) | (a >> 6)), [a & 63], [b >> 2]].map(inBase64));
  }
  // A text of one or two bytes is known by its first alone.
  const short = plain.some((text) => text.length < 3);
  return {
    at(bytes, at) {
      const a = bytes[at] as number;
      const first = firsts[a] as number;
      if (short || first === 0 || at + 2 >= bytes.length) return first;
      const b = bytes[at + 1] as number;
      const c = bytes[at + 2] as number;
      return SPECIAL[b] === 1 || SPECIAL[c] === 1 ? first : first & (hashes[hash(a, b, c)] as number);
    },
    find(bytes, at) {
      const end = bytes.length - 2;
      if (short || at >= end || SPECIAL[bytes[at] ?? 0] === 1 || SPECIAL[bytes[at + 1] ?? 0] === 1) return at;
      let now = ((bytes[at] ?? 0) << 6) ^ (bytes[at + 1] ?? 0);
      for (let from = at; from < end; from++) {
        const last = bytes[from + 2] as number;
        now = ((now << 6) ^ last) & mask;
        if (hashes[now] !== 0 || SPECIAL[last] !== 0) return from;
      }
      return end;
    },
  };
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
