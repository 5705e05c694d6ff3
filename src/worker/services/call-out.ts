import { Problem } from "../../contract/problem.ts";
import { judgeOrigin } from "./judge-origin.ts";

/** Says that a request has been through Keyhole: one that comes back to it goes no further. */
export const HOP_HEADER = "Keyhole-Hop";

/** A request to somewhere else. */
export interface Outgoing {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
  readonly signal: AbortSignal;
}

/**
 * The one way out: nothing is kept by the platform's cache, which would give one caller's reply to another; no redirect is followed;
 * and nothing goes to where no origin may be.
 *
 * @param own The host of this deployment.
 * @throws {Problem} `upstream-unreachable`, `upstream-timeout`. What the platform says of it may quote a header, and is not kept.
 */
export async function callOut({ url, method, headers, body, signal }: Outgoing, insecure: boolean, own: string): Promise<Response> {
  if (url.username !== "" || url.password !== "" || judgeOrigin(url.origin, insecure, own) !== undefined)
    throw new Problem("use-not-allowed", "Nothing is sent to this address.");
  headers.set("Accept-Encoding", "identity");
  headers.set(HOP_HEADER, "1");
  try {
    return await fetch(url, { method, headers, body, signal, redirect: "manual", cache: "no-store" });
  } catch {
    if (signal.aborted) throw new Problem("upstream-timeout", "The service did not answer in time.");
    throw new Problem("upstream-unreachable", "The service could not be reached.");
  }
}
