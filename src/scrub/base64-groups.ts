import { type Automaton, goesOnWith } from "./automaton.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/** The alphabet of RFC 4648, section 4, and that of section 5. */
const CHARACTERS = [`${ALPHABET}+/`, `${ALPHABET}-_`] as const;
const VALUES = new Int8Array(256).fill(-1);
for (const characters of CHARACTERS) for (const [value, character] of [...characters].entries()) VALUES[character.charCodeAt(0)] = value;

/** How many bits of a byte that is not complete a character has, by its place in a group of four. */
export const LEFT_OVER = [6, 4, 2, 0] as const;

/** The six bits of a character; -1 for a byte that is none. */
export function base64Value(byte: number): number {
  return VALUES[byte] ?? -1;
}

const CODES = Array.from({ length: 64 }, (_, value) => [...new Set(CHARACTERS.map((characters) => characters.charCodeAt(value)))]);

/** The characters, as their codes, that six bits may be written as. */
export function base64Characters(value: number): readonly number[] {
  return CODES[value] ?? [];
}

/** The byte that the character at a place in a group completes: its bits, and those left over of the one before. */
export function sharesBits(before: number, value: number, place: number): number {
  return ((before << (2 * place)) | (value >> (6 - 2 * place))) & 255;
}

/** Whether characters, the first of which is at a place in a group, could be how a text begins in base64. */
export function couldBeginBase64(automaton: Automaton, values: readonly number[], place: number): boolean {
  let state = 0;
  for (const [at, value] of values.entries()) {
    const now = (place + at) & 3;
    if (value < 0) return false;
    if (at === 0 || now === 0) continue;
    const next = automaton.child(state, sharesBits(values[at - 1] ?? 0, value, now));
    if (next === undefined) return false;
    state = next;
  }
  const count = LEFT_OVER[(place + values.length - 1) & 3] ?? 0;
  return goesOnWith(automaton, state, (values.at(-1) ?? 0) & (2 ** count - 1), count);
}
