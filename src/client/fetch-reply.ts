import { CONNECTION_FAULTS, connectionFaultOf } from "./connection-fault.ts";
import { KeyholeError } from "./keyhole-error.ts";

/** The statuses of replies that have no body (Fetch, "null body status"). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** A request, and how long its reply may take. */
export interface Fetching {
  readonly fetch: typeof globalThis.fetch;
  readonly url: string;
  readonly init: RequestInit;
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
  /** Whether a success is read while it comes: then the time is for its beginning. */
  readonly streamed?: boolean | undefined;
}

/**
 * A reply with its whole body.
 *
 * @throws {KeyholeError} `unreachable` when there is none in time. The reason of `signal` when it is aborted.
 */
export async function fetchReply({ fetch, url, init, timeout, signal, streamed = false }: Fetching): Promise<Response> {
  signal?.throwIfAborted();
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeout);
  let broken = false;
  try {
    // A token goes to the address it was given for and to no other.
    const reply = await fetch(url, { ...init, redirect: "manual", signal: signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal });
    if (!reply.body || (streamed && reply.ok)) return reply;
    broken = true;
    const body = await reply.arrayBuffer();
    // Browsers give a reply that can have no body an empty one, and take none for it.
    return new Response(WITHOUT_BODY.has(reply.status) ? null : body, reply);
  } catch (cause) {
    signal?.throwIfAborted();
    const why = deadline.signal.aborted ? `no reply within ${timeout / 1000} seconds` : broken ? "the reply broke off" : faultIn(cause);
    throw new KeyholeError("unreachable", `${new URL(url).host} cannot be reached: ${why}.`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

function faultIn(error: unknown): string {
  const fault = connectionFaultOf(error);
  return fault === undefined ? "no connection" : CONNECTION_FAULTS[fault];
}
