import { KeyholeError } from "../client/create-client.ts";

/**
 * What `ask` comes to, if that is within some milliseconds: token exchange, attempts and the waits between them together.
 *
 * @throws {KeyholeError} `unreachable` when it is not.
 */
export async function answerWithin<T>(milliseconds: number, url: string, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new KeyholeError("unreachable", `${new URL(url).host} cannot be reached: no answer within ${milliseconds / 1000} seconds.`);
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(late), milliseconds);
  // Not everything that is asked heeds a signal.
  const aborted = new Promise<never>((_, reject) => deadline.signal.addEventListener("abort", () => reject(late)));
  try {
    return await Promise.race([ask(deadline.signal), aborted]);
  } finally {
    clearTimeout(timer);
  }
}
