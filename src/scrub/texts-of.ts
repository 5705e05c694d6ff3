/** A line of a value is looked for by itself from this length on, in bytes: `{` alone says nothing and is everywhere. */
const SHORTEST_LINE = 8;
/** From this length on a text is looked for in hexadecimal digits and base64. */
const SHORTEST_CODED = 5;

const encoder = new TextEncoder();
/** Each byte as a character of its own. */
const LATIN1 = new TextDecoder("latin1");

/** A text as it is looked for. */
export interface Wanted {
  readonly plain: readonly Uint8Array[];
  /** Those that are looked for in hexadecimal digits and base64, too. */
  readonly coded: readonly Uint8Array[];
}

/**
 * What is looked for of values: each of them, also without the white space around it, which programs often leave out
 * (`$(cat key)`), and its lines, if those are wanted.
 */
export function textsOf(values: readonly (string | Uint8Array)[], lines: boolean): Wanted {
  const whole = new Map<string, Uint8Array>();
  const byLine = new Map<string, Uint8Array>();
  const add = (to: Map<string, Uint8Array>, bytes: Uint8Array, shortest: number) => bytes.length >= shortest && to.set(LATIN1.decode(bytes), bytes);
  for (const value of values) {
    const bytes = typeof value === "string" ? encoder.encode(value) : value;
    add(whole, bytes, 1);
    add(whole, trim(bytes), 1);
    if (lines) for (const line of linesOf(bytes)) add(byLine, line, SHORTEST_LINE);
  }
  const plain = [...new Map([...whole, ...byLine]).values()];
  return { plain, coded: [...whole.values()].filter((text) => text.length >= SHORTEST_CODED) };
}

const isSpace = (byte: number | undefined) => byte === 0x20 || (byte !== undefined && byte >= 9 && byte <= 13);

function trim(bytes: Uint8Array): Uint8Array {
  let start = 0;
  let end = bytes.length;
  while (start < end && isSpace(bytes[start])) start++;
  while (end > start && isSpace(bytes[end - 1])) end--;
  return bytes.subarray(start, end);
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; ) {
    const at = bytes.indexOf(10, from);
    const end = at === -1 ? bytes.length : at;
    lines.push(bytes.subarray(from, bytes[end - 1] === 13 ? end - 1 : end));
    from = end + 1;
  }
  return lines;
}
