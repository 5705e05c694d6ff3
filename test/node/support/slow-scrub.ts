/** A byte that some reading of a text gives, and where that stands in the text. */
interface Unit {
  readonly byte: number;
  readonly start: number;
  readonly end: number;
}

const plain = (text: Buffer): Unit[] => [...text].map((byte, start) => ({ byte, start, end: start + 1 }));

/** Replaces what `pattern` matches, in units whose bytes are read as Latin-1. What `incomplete` matches at the end could have become anything. */
function decode(units: readonly Unit[], pattern: RegExp, incomplete: RegExp, bytesOf: (match: string) => Iterable<number>, own = (unit: Unit) => unit): Unit[] {
  const text = Buffer.from(units.map(({ byte }) => byte)).toString("latin1");
  const decoded: Unit[] = [];
  let at = 0;
  for (const { 0: match, index } of text.matchAll(pattern)) {
    decoded.push(...units.slice(at, index).map(own));
    const start = units[index]?.start ?? 0;
    at = index + match.length;
    for (const byte of bytesOf(match)) decoded.push({ byte, start, end: units[at - 1]?.end ?? 0 });
  }
  const rest = text.slice(at).search(incomplete);
  return [...decoded, ...units.slice(at, rest === -1 ? undefined : at + rest).map(own)];
}

/** As nothing that is looked for: a backslash that begins no escape is no JSON. */
const broken = (unit: Unit): Unit => (unit.byte === 0x5c ? { ...unit, byte: -1 } : unit);

const SURROGATES = String.raw`\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}`;
const UNIT = String.raw`\\u(?![dD][89a-fA-F])[\da-fA-F]{4}`;
const JSON_ESCAPE = new RegExp(`${SURROGATES}|${UNIT}|${String.raw`\\["\\/bfnrt]`}`, "g");

const json = (units: readonly Unit[]) =>
  decode(
    units,
    JSON_ESCAPE,
    /\\(?:u[\da-fA-F]{0,3}|u[dD][89abAB][\da-fA-F]{2}(?:\\(?:u[\da-fA-F]{0,3})?)?)?$/,
    (written) => Buffer.from(JSON.parse(`"${written}"`) as string),
    broken,
  );
const percent = (units: readonly Unit[]) => decode(units, /%[\da-fA-F]{2}/g, /%[\da-fA-F]?$/, (written) => [Number.parseInt(written.slice(1), 16)]);

function hex(text: Buffer): Unit[][] {
  return [...text.toString("latin1").matchAll(/[\da-fA-F]{2,}/g)].flatMap(({ 0: digits, index }) =>
    [0, 1].map((from) =>
      Array.from({ length: Math.floor((digits.length - from) / 2) }, (_, pair) => {
        const at = from + 2 * pair;
        return { byte: Number.parseInt(digits.slice(at, at + 2), 16), start: index + at, end: index + at + 2 };
      }),
    ),
  );
}

const unescaped = (written: string) => (written.startsWith("%") ? decodeURIComponent(written) : (JSON.parse(`"${written}"`) as string));

const SEXTETS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The only escapes that base64 is written with, and that of a backslash. */
const BASE64_ESCAPE = /\\[\\/nr]|(?:%|\\u00)(?:2[bBdDfF]|5[fF]|0[aAdD])/g;
/** That many line ends in a row are no longer within it. */
const TOO_MANY_LINE_ENDS = 5;

const unescapedBase64 = (text: Buffer) => decode(plain(text), BASE64_ESCAPE, /(?!)/, (written) => Buffer.from(unescaped(written)));

function base64(units: readonly Unit[]): Unit[][] {
  const runs: Unit[][] = [[]];
  let lineEnds = 0;
  for (const unit of units) {
    const character = String.fromCharCode(unit.byte).replace("-", "+").replace("_", "/");
    lineEnds = /[\r\n]/.test(character) ? lineEnds + 1 : 0;
    if (SEXTETS.includes(character)) runs.at(-1)?.push({ ...unit, byte: SEXTETS.indexOf(character) });
    else if (lineEnds === 0 || lineEnds === TOO_MANY_LINE_ENDS) runs.push([]);
  }
  // A group may have begun before the run: then its first bytes are none of it.
  return runs.flatMap((run) =>
    [0, 1, 2, 3].map((missing) => {
      const characters = [...Array.from({ length: missing }, () => undefined), ...run];
      return Array.from({ length: Math.floor((characters.length * 6) / 8) }, (_, nth) => {
        const first = Math.floor((nth * 8) / 6);
        const [a, b] = [characters[first], characters[first + 1]];
        if (!a || !b) return { byte: -1, start: 0, end: 0 };
        return { byte: (((a.byte << 6) | b.byte) >> (4 - ((nth * 8) % 6))) & 255, start: a.start, end: b.end };
      });
    }),
  );
}

/** Where `wanted` stands in `units`. */
function occurrences(units: readonly Unit[], wanted: Buffer): { start: number; end: number }[] {
  return units.flatMap(({ start }, from) =>
    wanted.every((byte, at) => units[from + at]?.byte === byte) ? [{ start, end: units[from + wanted.length - 1]?.end ?? start }] : [],
  );
}

const spaced = (bytes: readonly number[]) => Buffer.from(bytes.map((byte) => (byte === 0x2b ? 0x20 : byte)));

/** Where forms of `values` stand in a text, found the slow way: each reading of all of it is searched for each value. */
export function slowScrub(values: readonly string[], text: Buffer): Buffer {
  const shown = Buffer.from(text);
  const cover = (units: readonly Unit[], wanted: Buffer, keepLineEnds = false) => {
    for (const { start, end } of occurrences(units, wanted))
      for (let at = start; at < end; at++) if (!keepLineEnds || !/[\r\n]/.test(String.fromCharCode(text[at] ?? 0))) shown[at] = 0x2a;
  };
  for (const value of new Set(values.flatMap((value) => [value, value.trim()]))) {
    const wanted = Buffer.from(value);
    if (wanted.length === 0) continue;
    for (const units of [plain(text), json(plain(text)), json(json(plain(text)))]) cover(units, wanted);
    const read = percent(plain(text));
    cover(
      read.map((unit) => ({ ...unit, byte: unit.byte === 0x2b ? 0x20 : unit.byte })),
      spaced([...wanted]),
    );
    if (wanted.length < 5) continue;
    for (const units of hex(text)) cover(units, wanted);
    for (const units of [...base64(unescapedBase64(text)), ...base64(plain(text))]) cover(units, wanted, true);
  }
  return shown;
}
