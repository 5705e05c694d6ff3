import { Transform } from "node:stream";

/** What stands in the place of a value. */
const MARK = Buffer.from("[masked]");

/** A line of a value is masked by itself from this length on: `{` alone says nothing and is everywhere. */
const SHORTEST_LINE = 8;

/** Takes chunks and gives back what may be shown of them so far. */
export interface Masker {
  push(chunk: Uint8Array): Buffer;
  end(): Buffer;
}

/** A stream that lets everything through but `values`, each also without the white space around it, as JSON writes it and, if it has several lines, line by line. */
export function maskStream(values: readonly string[]): Transform {
  const masker = createMasker(values);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, masker.push(chunk));
    },
    flush(done) {
      done(null, masker.end());
    },
  });
}

/** Masks a stream of bytes, also where a value is split over chunks: what could be the beginning of one waits for what follows. */
export function createMasker(values: readonly string[]): Masker {
  const patterns = [...new Set(values.flatMap(formsOf))].filter((form) => form !== "").map((form) => Buffer.from(form));
  let pending: Buffer = Buffer.alloc(0);
  // How many bytes at the start of `pending` belong to something for which the mark has been written.
  let covered = 0;
  const take = (text: Buffer, limit: number): Buffer => {
    const parts: Uint8Array[] = [];
    let at = Math.min(covered, limit);
    let end = covered;
    for (const range of rangesOf(text, patterns)) {
      if (range.start >= limit) break;
      if (range.end <= end) continue;
      if (range.start >= end) parts.push(text.subarray(Math.max(at, end), range.start), MARK);
      end = range.end;
      at = Math.min(end, limit);
    }
    parts.push(text.subarray(Math.max(at, Math.min(end, limit)), limit));
    covered = Math.max(0, end - limit);
    pending = text.subarray(limit);
    return Buffer.concat(parts);
  };
  return {
    push(chunk) {
      const text = Buffer.concat([pending, chunk]);
      return take(text, undecidedFrom(text, patterns));
    },
    end: () => take(pending, pending.length),
  };
}

function formsOf(value: string): string[] {
  // A program often leaves out the line end of a value: `$(cat key)`.
  const whole = [value, value.trim()];
  const lines = value.split(/\r?\n/);
  return [...whole, ...whole.flatMap(asJson), ...(lines.length > 1 ? lines.filter((line) => line.length >= SHORTEST_LINE) : [])];
}

/** A text as JSON writes it, and as JSON in ASCII does. */
function asJson(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  return [json, json.replace(/[\u0080-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)];
}

/** Where the patterns are in `text`, by where they start. They may overlap. */
function rangesOf(text: Buffer, patterns: readonly Buffer[]): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = [];
  for (const pattern of patterns)
    for (let start = text.indexOf(pattern); start !== -1; start = text.indexOf(pattern, start + 1)) ranges.push({ start, end: start + pattern.length });
  return ranges.sort((a, b) => a.start - b.start || b.end - a.end);
}

/** From where on `text` could be the beginning of a pattern. */
function undecidedFrom(text: Buffer, patterns: readonly Buffer[]): number {
  let from = text.length;
  for (const pattern of patterns) {
    const first = pattern[0] ?? 0;
    for (let at = text.indexOf(first, Math.max(0, text.length - pattern.length + 1)); at !== -1 && at < from; at = text.indexOf(first, at + 1))
      if (text.subarray(at).equals(pattern.subarray(0, text.length - at))) from = at;
  }
  return from;
}
