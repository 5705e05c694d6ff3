import { createScrubber } from "../../scrub/create-scrubber.ts";

/** What is no text: values are not looked for in it. */
const NOT_SCANNED = /^(?:image|audio|video)\/(?!svg)|^application\/x-git-/i;

/**
 * The body of a reply without what was put into the request, as it comes. Only what could be the beginning of that waits for more.
 *
 * @param ended Called once, when all of it has come, its reader has gone, or it broke off.
 */
export function returnedBody(body: ReadableStream<Uint8Array>, type: string | null, hidden: readonly string[], ended: () => void): ReadableStream<Uint8Array> {
  const scrubber = createScrubber(NOT_SCANNED.test(type ?? "") ? [] : hidden);
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        for (;;) {
          const { done, value } = await reader.read();
          const shown = done ? scrubber.end() : scrubber.push(value);
          if (shown.length > 0) controller.enqueue(shown);
          if (done) {
            ended();
            controller.close();
          }
          if (done || shown.length > 0) return;
        }
      } catch {
        ended();
        // What the platform says of it is nobody's.
        throw new Error("the service's reply broke off");
      }
    },
    async cancel(reason) {
      ended();
      await reader.cancel(reason);
    },
  });
}
