/** The bytes of a stream that have come and were not given on. */
export interface Waiting {
  /** Adds what has come; returns its position in the stream. */
  add(chunk: Uint8Array): number;
  /** The byte at a position in the stream. */
  at(position: number): number;
  /** Where the stream has come to. */
  end(): number;
  /** Takes what is before a position, as bytes of its own. */
  takeBefore(limit: number): { readonly bytes: Uint8Array; readonly from: number };
}

/** Makes an empty one. Each byte is copied a few times, however small the chunks are. */
export function createWaiting(): Waiting {
  let buffer = new Uint8Array(1024);
  // The buffer has `from` up to `end`, the first of them at `head`.
  let head = 0;
  let from = 0;
  let end = 0;
  return {
    add(chunk) {
      const kept = end - from;
      if (head + kept + chunk.length > buffer.length) {
        const grown = kept + chunk.length > buffer.length / 2 ? new Uint8Array(2 * (kept + chunk.length)) : buffer;
        grown.set(buffer.subarray(head, head + kept));
        buffer = grown;
        head = 0;
      }
      buffer.set(chunk, head + kept);
      end += chunk.length;
      return end - chunk.length;
    },
    at: (position) => buffer[head + position - from] ?? 0,
    end: () => end,
    takeBefore(limit) {
      const taken = { bytes: buffer.slice(head, head + limit - from), from };
      head += limit - from;
      from = limit;
      if (from === end) head = 0;
      return taken;
    },
  };
}
