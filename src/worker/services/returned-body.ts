import type { Scrubbed } from "../../scrub/create-scrubber.ts";
import { scrubStream } from "../../scrub/scrub-stream.ts";

/** What is no text: values are not looked for in it. */
const NOT_SCANNED = /^(?:image|audio|video)\/(?!svg)|^application\/x-git-/i;

/**
 * The body of a reply without what was put into the request, as it comes. Only what could be the beginning of that waits for more.
 *
 * @param ended Called once, when all of it has come, its reader has gone, or it broke off.
 * @param rewriting What is done to it after that, if anything.
 */
export function returnedBody(
  body: ReadableStream<Uint8Array>,
  type: string | null,
  hidden: Scrubbed,
  { ended, rewriting }: { readonly ended: () => void; readonly rewriting: TransformStream<Uint8Array, Uint8Array> | null },
): ReadableStream<Uint8Array> {
  const shown = NOT_SCANNED.test(type ?? "") ? body : body.pipeThrough(scrubStream(hidden));
  const reader = (rewriting ? shown.pipeThrough(rewriting) : shown).getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        ended();
        controller.close();
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
