import { Transform } from "node:stream";
import { formsOf } from "./masked-forms.ts";

/** What stands in the place of a value. */
const MARK = Buffer.from("[masked]");

/** Takes chunks and gives back what may be shown of them so far. */
export interface Masker {
  push(chunk: Uint8Array): Buffer;
  end(): Buffer;
}

/** A stream that lets everything through but `values`, in each of their {@link formsOf forms}. */
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
