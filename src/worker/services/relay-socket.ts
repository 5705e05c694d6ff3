import { Problem } from "../../contract/problem.ts";
import type { Scrubbed, Scrubbing } from "../../scrub/create-scrubber.ts";
import { scrubBytes } from "../../scrub/scrub-bytes.ts";
import { scrubText } from "../../scrub/scrub-text.ts";
import type { CallsOfLease } from "../leases/calls-of-lease.ts";
import { returnedHeaders } from "./returned-headers.ts";

/** How large a message may be, in bytes. */
const MAX_MESSAGE = 2 ** 20;
/** Codes of a close (RFC 6455, section 7.4.1). */
const CODES = { goingAway: 1001, noStatus: 1005, policy: 1008, tooLarge: 1009, failed: 1011 } as const;
/** The longest reason of a close, in bytes (RFC 6455, section 5.5). */
const MAX_REASON = 123;

/** What a socket is relayed by. */
export interface SocketRelay {
  /** The subprotocols that the caller has offered. */
  readonly offered: readonly string[];
  /** What has been put in, and what finds it. */
  readonly hidden: readonly string[];
  readonly scrubbing: Scrubbing;
  /** How long it may be open, in milliseconds. */
  readonly whole: number;
  /** Aborted when the token is not in force any more. */
  readonly over: AbortSignal;
  /** Called once, when it has ended. */
  readonly ended: () => void;
  /** Where the bytes of its messages are counted. */
  readonly calls: CallsOfLease | null;
}

/** Makes of a request one for a WebSocket (RFC 6455, section 4.1): the runtime adds what else that needs. */
export function askForSocket(headers: Headers, offered: readonly string[]): void {
  headers.set("Upgrade", "websocket");
  if (offered.length > 0) headers.set("Sec-WebSocket-Protocol", offered.join(", "));
}

/**
 * Joins the caller to the service's socket: messages of the service come without what was put into the request, each looked through as a
 * whole, in text and in binary. Either end's close goes on to the other one. The runtime tells nobody how much of what was sent waits to
 * be read, so there is no back-pressure.
 *
 * @throws {Problem} `upstream-unreachable` where the service chose a subprotocol that was not offered.
 */
export function relaySocket(reply: Response, service: WebSocket, { offered, hidden, scrubbing, whole, over, ended, calls }: SocketRelay): Response {
  const chosen = reply.headers.get("Sec-WebSocket-Protocol");
  if (chosen !== null && !offered.includes(chosen)) {
    service.accept();
    service.close(CODES.failed);
    throw new Problem("upstream-unreachable", "The service chose a subprotocol that the request does not offer.");
  }
  const { 0: theirs, 1: caller } = new WebSocketPair();
  let open = true;
  const end = (code: number, reason = "") => {
    if (!open) return;
    open = false;
    clearTimeout(timer);
    over.removeEventListener("abort", revoked);
    for (const socket of [caller, service]) close(socket, code, reason);
    ended();
  };
  const revoked = () => end(CODES.policy, "the token is not in force any more");
  const timer = setTimeout(() => end(CODES.policy, "the time of the socket is over"), whole);
  over.addEventListener("abort", revoked);
  for (const [from, to, shown] of [
    [caller, service, (data: Message) => data],
    [service, caller, (data: Message) => scrub(data, scrubbing)],
  ] as const) {
    from.binaryType = "arraybuffer";
    from.addEventListener("message", ({ data }) => {
      if (!open) return;
      const size = sizeOf(data);
      if (calls) calls[from === caller ? "sent" : "received"] += size;
      if (size > MAX_MESSAGE) return end(CODES.tooLarge, `a message has at most ${MAX_MESSAGE} bytes`);
      // The other end may be closing already.
      attempt(
        () => to.send(shown(data)),
        () => end(CODES.failed),
      );
    });
    from.addEventListener("close", ({ code, reason }) => end(code, from === service ? scrubText(reason, scrubbing) : reason));
    // What the platform says of it is nobody's.
    from.addEventListener("error", () => end(CODES.failed));
    from.accept();
  }
  if (over.aborted) revoked();
  const headers = returnedHeaders(reply.headers, scrubbing, hidden);
  if (chosen !== null) headers.set("Sec-WebSocket-Protocol", chosen);
  return new Response(null, { status: 101, webSocket: theirs, headers });
}

type Message = string | ArrayBuffer;

function sizeOf(data: Message): number {
  return typeof data === "string" ? (data.length > MAX_MESSAGE ? data.length : new TextEncoder().encode(data).length) : data.byteLength;
}

function scrub(data: Message, values: Scrubbed): Message | Uint8Array {
  if (typeof data === "string") return scrubText(data, values);
  return scrubBytes(new Uint8Array(data), values);
}

/**
 * The codes that an end may send (RFC 6455, section 7.4, and what IANA has registered since): neither those that say that none was
 * given, nor one that means nothing.
 */
function isSendable(code: number): boolean {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/** Closes one end. A code that cannot be sent would leave it open. */
function close(socket: WebSocket, code: number, reason: string): void {
  attempt(
    () => (code === CODES.noStatus ? socket.close() : socket.close(isSendable(code) ? code : CODES.goingAway, shorten(reason))),
    () => undefined,
  );
}

function shorten(reason: string): string {
  return new TextEncoder().encode(reason).length <= MAX_REASON ? reason : "";
}

/** What is closed already throws: there is nothing left to be done with it. */
function attempt(work: () => void, failed: () => void): void {
  try {
    work();
  } catch {
    failed();
  }
}
