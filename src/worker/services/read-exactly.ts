/** Up to this length, in bytes, there is room made for all of a stream before anything of it has come: a stream that never comes takes no more. */
const AT_ONCE = 8_192;

/**
 * All of a stream that is to have so many bytes.
 *
 * @param count Told of the bytes as they come.
 * @throws {Error} when it has more or fewer, or breaks off: what the platform says of that is nobody's.
 */
export async function readExactly(stream: ReadableStream<Uint8Array>, length: number, count: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  const reader = length <= AT_ONCE ? byteReader(stream) : undefined;
  const bytes = await (reader ? readInto(reader, length, count) : readChunks(stream, length, count));
  if (!bytes) throw brokenOff();
  return bytes;
}

/** What a reply that broke off is told by. */
export function brokenOff(): Error {
  return new Error("the service's reply broke off");
}

/** `undefined` for a stream that gives chunks of its own: streams that come from outside all fill what they are given. */
function byteReader(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return stream.getReader({ mode: "byob" });
  } catch (error) {
    if (error instanceof TypeError && !stream.locked) return undefined;
    throw error;
  }
}

async function readInto(reader: ReadableStreamBYOBReader, length: number, count: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer> | undefined> {
  // One byte more shows a stream that goes on.
  let buffer = new ArrayBuffer(length + 1);
  for (let size = 0; ; ) {
    // The memory comes back with each read, also with the last one (Streams Standard, section 4.5.3).
    const { done, value } = (await reader.read(new Uint8Array(buffer, size))) as { readonly done: boolean; readonly value: Uint8Array<ArrayBuffer> };
    buffer = value.buffer;
    if (done) return size === length ? new Uint8Array(buffer, 0, length) : undefined;
    count(value.byteLength);
    size += value.byteLength;
    if (size > length) {
      await reader.cancel();
      return undefined;
    }
  }
}

async function readChunks(stream: ReadableStream<Uint8Array>, length: number, count: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = [];
  const reader = stream.getReader();
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    count(value.length);
    size += value.length;
    if (size > length) {
      await reader.cancel();
      return undefined;
    }
    chunks.push(value);
  }
  if (size < length) return undefined;
  // Made only now, so that a stream that never comes takes no memory.
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
