/** Finds texts in a sequence of bytes, one byte at a time, in time that is linear however the texts begin alike (Aho and Corasick, 1975). */
export interface Automaton {
  /** The state after one more byte. 0 is the one in which no text has begun. */
  next(state: number, byte: number): number;
  /** How many bytes of a text have been read in a state. */
  readonly depth: Int32Array;
  /** How long the longest text is that ends in a state; 0 for none. */
  readonly ending: Int32Array;
  /** The state of the longest other beginning of a text that a state ends with. */
  readonly fallback: Int32Array;
  /** The bytes by which a text goes on from a state. */
  goesOn(state: number): readonly number[];
  /** The state in which a text has gone on by a byte, `undefined` where none does. */
  child(state: number, byte: number): number | undefined;
  /** The length of the longest text. */
  readonly longest: number;
}

/** Whether a text goes on from a state with bits that begin a byte, or are one or more: `count` of them. */
export function goesOnWith(automaton: Automaton, state: number, bits: number, count: number): boolean {
  return automaton.goesOn(state).some((byte) => {
    if (count <= 8) return byte >> (8 - count) === bits;
    if (byte !== bits >> (count - 8)) return false;
    const next = automaton.child(state, byte) ?? 0;
    return automaton.ending[next] === automaton.depth[next] || goesOnWith(automaton, next, bits & (2 ** (count - 8) - 1), count - 8);
  });
}

/** Makes the automaton of `texts`, none of which is empty. What it takes is some 20 bytes for each of theirs. */
export function createAutomaton(texts: readonly Uint8Array[]): Automaton {
  const size = 1 + texts.reduce((sum, text) => sum + text.length, 0);
  // Nearly every state goes on by one byte, which is kept beside it; those by others, and those of state 0, are in tables.
  const firstByte = new Int16Array(size).fill(-1);
  const firstChild = new Int32Array(size);
  const more = new Map<number, Map<number, number>>();
  const depth = new Int32Array(size);
  const ending = new Int32Array(size);
  const fallback = new Int32Array(size);
  const child = (state: number, byte: number): number | undefined => (firstByte[state] === byte ? firstChild[state] : more.get(state)?.get(byte));
  let states = 1;
  const add = (state: number, byte: number): number => {
    const made = states++;
    depth[made] = (depth[state] ?? 0) + 1;
    if (firstByte[state] === -1) {
      firstByte[state] = byte;
      firstChild[state] = made;
    } else more.set(state, (more.get(state) ?? new Map<number, number>()).set(byte, made));
    return made;
  };
  for (const text of texts) {
    let state = 0;
    for (const byte of text) state = child(state, byte) ?? add(state, byte);
    ending[state] = text.length;
  }
  const goesOn = (state: number): number[] => (firstByte[state] === -1 ? [] : [firstByte[state] ?? 0, ...(more.get(state)?.keys() ?? [])]);
  const roots = new Int32Array(256);
  for (const byte of goesOn(0)) roots[byte] = child(0, byte) ?? 0;
  const next = (from: number, byte: number): number => {
    let state = from;
    while (state !== 0) {
      if (firstByte[state] === byte) return firstChild[state] ?? 0;
      const other = more.size > 0 ? more.get(state)?.get(byte) : undefined;
      if (other !== undefined) return other;
      state = fallback[state] ?? 0;
    }
    return roots[byte] ?? 0;
  };
  // By depth, so that the fallback of what is nearer to the beginning is known.
  const queue = new Int32Array(size);
  let end = 1;
  for (let at = 0; at < end; at++) {
    const state = queue[at] ?? 0;
    for (const byte of goesOn(state)) {
      const to = child(state, byte) ?? 0;
      const back = state === 0 ? 0 : next(fallback[state] ?? 0, byte);
      fallback[to] = back;
      ending[to] ||= ending[back] ?? 0;
      queue[end++] = to;
    }
  }
  return { next, depth, ending, fallback, goesOn, child, longest: Math.max(0, ...texts.map((text) => text.length)) };
}
