import { createAutomaton } from "./automaton.ts";
import type { Decoder, Emit } from "./emit.ts";

/** What anybody escapes in base64: these characters of its alphabets, and line ends. */
const ESCAPED = "+/-_\n\r";
/** The escapes with which it can be written (RFC 8259, section 7; RFC 3986, section 2.1), and JSON's of a backslash, which escapes nothing after it. */
const ESCAPES = new Map([
  ["\\/", "/"],
  ["\\n", "\n"],
  ["\\r", "\r"],
  ["\\\\", "\\"],
]);
for (const character of ESCAPED) {
  const digits = character.charCodeAt(0).toString(16).padStart(2, "0");
  for (const written of [digits, digits.toUpperCase()]) ESCAPES.set(`%${written}`, character).set(`\\u00${written}`, character);
}

/** How many bytes the longest of them has. */
export const LONGEST_ESCAPE = Math.max(...[...ESCAPES.keys()].map((written) => written.length));

const bytesOf = (text: string) => new TextEncoder().encode(text);
const { child } = createAutomaton([...ESCAPES.keys()].map(bytesOf));
/** By what has been read of an escape: what that may be an escape of. */
const becomes = new Map<number, Set<string>>();
/** What a whole escape stands for. */
const standsFor = new Map<number, number>();
for (const [written, character] of ESCAPES) {
  let state = 0;
  for (const byte of bytesOf(written)) {
    state = child(state, byte) ?? 0;
    becomes.set(state, (becomes.get(state) ?? new Set<string>()).add(character));
  }
  standsFor.set(state, character.charCodeAt(0));
}

/** Reads the escapes of base64, of which one may be incomplete. */
export interface Base64Escapes extends Decoder {
  /** Whether what has begun of an escape could become one of `character`. */
  couldBe(character: string): boolean;
}

/**
 * Gives each byte on, those of an escape that base64 is written with as what they stand for. All others stand for themselves,
 * each at its own place: base64 may begin right after a `%` or a backslash.
 */
export function readBase64Escapes(emit: Emit): Base64Escapes {
  let state = 0;
  let bytes: number[] = [];
  let starts: number[] = [];
  const forget = (): void => {
    state = 0;
    bytes = [];
    starts = [];
  };
  const take: Emit = (byte, from, to) => {
    const next = child(state, byte);
    if (next === undefined) {
      if (state === 0) return emit(byte, from, to);
      const [own, ownStarts] = [bytes, starts];
      forget();
      for (const [at, each] of own.entries()) emit(each, ownStarts[at] ?? from, ownStarts[at + 1] ?? from);
      return take(byte, from, to);
    }
    const code = standsFor.get(next);
    if (code === undefined) {
      state = next;
      bytes.push(byte);
      starts.push(from);
      return;
    }
    const [start = from] = starts;
    forget();
    emit(code, start, to);
  };
  return { take, pending: () => bytes, pendingStarts: () => starts, couldBe: (character) => becomes.get(state)?.has(character) === true };
}

/** Gives each byte on as it is. */
export function readNoEscapes(emit: Emit): Base64Escapes {
  return { take: emit, pending: () => [], pendingStarts: () => [], couldBe: () => false };
}
