import type { Scrubbed } from "../../scrub/create-scrubber.ts";
import { scrubBytes } from "../../scrub/scrub-bytes.ts";
import { scrubStream } from "../../scrub/scrub-stream.ts";
import type { CallsOfLease } from "../leases/calls-of-lease.ts";

/** What is no text: values are not looked for in it. */
const NOT_SCANNED = /^(?:image|audio|video)\/(?!svg)|^application\/x-git-/i;
/** Up to this length, in bytes, the body of a reply that says how long it is goes on as a whole: a stream takes more time than it. */
const WHOLE = 16_384;

/** What a reply says of its body. */
interface SaidOfBody {
  readonly type: string | null;
  /** In bytes; `null` where that is not said, or not what will be sent. */
  readonly length: number | null;
}

/** What is done about a body beside scrubbing it. */
interface BodyWork {
  /** Called once, when all of it has come, its reader has gone, or it broke off. */
  readonly ended: () => void;
  /** What is done to it after that, if anything. */
  readonly rewriting: TransformStream<Uint8Array, Uint8Array> | null;
  /** Where its bytes are counted. */
  readonly calls: CallsOfLease | null;
}

/** The body of a reply without what was put into the request, as it comes. Only what could be the beginning of that waits for more. */
export async function returnedBody(
  body: ReadableStream<Uint8Array>,
  { type, length }: SaidOfBody,
  hidden: Scrubbed,
  work: BodyWork,
): Promise<ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>> {
  const isScanned = !NOT_SCANNED.test(type ?? "");
  if (length !== null && length <= WHOLE && work.rewriting === null) return wholeBody(body, length, isScanned ? hidden : null, work);
  const shown = isScanned ? body.pipeThrough(scrubStream(hidden)) : body;
  const stream = ending(work.rewriting ? shown.pipeThrough(work.rewriting) : shown, work);
  return length === null ? stream : stream.pipeThrough(new FixedLengthStream(length));
}

async function wholeBody(
  body: ReadableStream<Uint8Array>,
  length: number,
  hidden: Scrubbed | null,
  work: BodyWork,
): Promise<ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>> {
  try {
    const bytes = await readWhole(body, length, work.calls);
    work.ended();
    return hidden ? scrubBytes(bytes, hidden) : bytes;
  } catch {
    work.ended();
    // Its caller is told the same as by a stream: the service may have done what was asked.
    return new ReadableStream<Uint8Array>({ start: (controller) => controller.error(brokenOff()) });
  }
}

/**
 * As much as was said, and no more: where a reply is cut by `Transfer-Encoding`, the runtime does not hold it to its `Content-Length`. So
 * one byte more than that is asked for.
 */
async function readWhole(body: ReadableStream<Uint8Array>, length: number, calls: CallsOfLease | null): Promise<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader({ mode: "byob" });
  let room = new Uint8Array(length + 1);
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read(room.subarray(size));
    if (value) {
      if (calls) calls.received += value.length;
      size += value.length;
      room = new Uint8Array(value.buffer);
    }
    if (size > length) {
      await reader.cancel();
      throw brokenOff();
    }
    if (done) break;
  }
  if (size < length) throw brokenOff();
  return room.subarray(0, length);
}

function ending(shown: ReadableStream<Uint8Array>, { ended, calls }: BodyWork): ReadableStream<Uint8Array> {
  const reader = shown.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (calls && value) calls.received += value.length;
        if (!done) return controller.enqueue(value);
        ended();
        controller.close();
      } catch {
        ended();
        throw brokenOff();
      }
    },
    async cancel(reason) {
      ended();
      await reader.cancel(reason);
    },
  });
}

/** What the platform says of it is nobody's. */
function brokenOff(): Error {
  return new Error("the service's reply broke off");
}
