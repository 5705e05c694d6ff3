/** A part of a stream; `goesOn` where its beginning was given before. */
export interface Part {
  readonly start: number;
  readonly end: number;
  readonly goesOn: boolean;
}

/** Parts of a stream that are not to be shown. Those that overlap are one. */
export interface Covered {
  add(start: number, end: number): void;
  /** Takes what there is of them before `limit`, by where they begin. A part that goes on is given up to there, and later from there. */
  takeBefore(limit: number): readonly Part[];
}

/** Makes an empty list. */
export function createCovered(): Covered {
  let parts: Part[] = [];
  let given = 0;
  return {
    add(from, end) {
      const start = Math.max(from, given);
      if (start >= end) return;
      // What is added is near the end.
      let at = parts.length;
      while (at > 0 && (parts[at - 1]?.end ?? 0) > start) at--;
      let merged: Part = { start, end, goesOn: false };
      let next = at;
      for (let part = parts[next]; part && part.start < end; part = parts[++next])
        merged = { start: Math.min(merged.start, part.start), end: Math.max(merged.end, part.end), goesOn: merged.goesOn || part.goesOn };
      parts.splice(at, next - at, merged);
    },
    takeBefore(limit) {
      given = limit;
      const taken = parts.filter(({ start }) => start < limit).map((part) => ({ ...part, end: Math.min(part.end, limit) }));
      parts = parts.filter(({ end }) => end > limit).map((part) => (part.start < limit ? { start: limit, end: part.end, goesOn: true } : part));
      return taken;
    },
  };
}
