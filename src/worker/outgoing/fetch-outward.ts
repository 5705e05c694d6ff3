import { markHop } from "./hop.ts";
import { isStrictlyPublic } from "./is-strictly-public.ts";
import { OutgoingError } from "./outgoing-error.ts";

/** A call outward. */
export interface OutgoingCall {
  readonly url: URL;
  readonly method: string;
  /** Headers of the call's own: they are changed. */
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | string | null;
  /** How long the answer's status and headers may take, in milliseconds. */
  readonly firstByte: number;
  /** How long all of it may take, the answer's body included, in milliseconds. */
  readonly whole: number;
  /** Aborted when the caller has left. */
  readonly leave?: AbortSignal | undefined;
}

/** What asks for a way of going on that a Worker does not have, or names the way that the request came. */
const NEVER_SENT = ["Expect", "TE", "Trailer", "Via"];

/**
 * Fetches from outside, whatever the address: without the platform's cache, which would give one caller another's answer,
 * without following redirects, and marked, so that a Keyhole at the other end does not go round in circles.
 *
 * @throws {OutgoingError} if there is no answer. The platform's own error, which may quote a header, goes no further.
 */
export async function fetchOutward({ url, method, headers, body, firstByte, whole, leave }: OutgoingCall): Promise<Response> {
  if (!isStrictlyPublic()) throw new OutgoingError("flag-missing");
  for (const name of NEVER_SENT) headers.delete(name);
  markHop(headers);
  const late = new AbortController();
  const timer = firstByte < whole ? setTimeout(() => late.abort(), firstByte) : undefined;
  const over = AbortSignal.any([late.signal, AbortSignal.timeout(whole), ...(leave ? [leave] : [])]);
  try {
    return await fetch(url, { method, headers, body, redirect: "manual", cache: "no-store", signal: over });
  } catch (error) {
    // The platform has timeouts of its own.
    const timedOut = error instanceof Error && error.name === "TimeoutError" && !over.aborted;
    if (late.signal.aborted || timedOut) throw new OutgoingError("too-slow");
    throw new OutgoingError(over.aborted ? "ended" : "unreachable");
  } finally {
    clearTimeout(timer);
  }
}
