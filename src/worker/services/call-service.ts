import { Problem } from "../../contract/problem.ts";
import type { RequestPath } from "../../contract/request-path.ts";
import type { ServiceDefinition } from "../../contract/service.ts";
import { prepareByTable, prepareScrubber, type Scrubbing } from "../../scrub/create-scrubber.ts";
import { scrubText } from "../../scrub/scrub-text.ts";
import type { Caller } from "../access/caller.ts";
import type { CallsOfLease } from "../leases/calls-of-lease.ts";
import { callOut } from "../outgoing/call-out.ts";
import { OutgoingError } from "../outgoing/outgoing-error.ts";
import { ownHostsOf } from "../outgoing/own-hosts.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { accessTokenFor, forgetAccessToken, type TokenNeeds } from "./access-token.ts";
import type { Credentials } from "./fill-credentials.ts";
import { forwardedHeaders, forwardedQuery } from "./forwarded-headers.ts";
import { ownAddressOf, ownLinks, ownLocation } from "./own-addresses.ts";
import { hasOwnFields, ownFields } from "./own-fields.ts";
import { askForSocket, relaySocket } from "./relay-socket.ts";
import { returnedBody } from "./returned-body.ts";
import { returnedHeaders } from "./returned-headers.ts";
import { signRequest } from "./sign-request.ts";

/** What calling a service needs. */
export type CallNeeds = CallerNeeds &
  TokenNeeds & {
    readonly insecureOrigins: boolean;
    /** The hosts that are a service each. */
    readonly useHosts: Readonly<Record<string, string>>;
    /** How often an open reply asks whether its token is in force. */
    readonly staleSeconds: number;
  };

/** A request that goes on to a service. */
export interface ForwardedRequest {
  readonly method: string;
  readonly query: string;
  /** Names of parameters in the query that had the token. */
  readonly tokenParameters: ReadonlySet<string>;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
  /** The service's own address here, without a `/` at its end. */
  readonly base: string;
  /** Of a request for a WebSocket (RFC 6455): the subprotocols that it offers, without what has a token; `null` for any other request. */
  readonly socket: readonly string[] | null;
}

/** A call of a service. */
interface ServiceCall {
  readonly definition: ServiceDefinition;
  readonly origin: string;
  readonly path: RequestPath;
  readonly credentials: Credentials;
  readonly request: ForwardedRequest;
  /** Where the bytes of bodies are counted; `null` for nowhere. */
  readonly calls: CallsOfLease | null;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** The encodings in which a reply can be looked through. */
const READABLE = new Set(["", "identity", "gzip"]);
/** How long a service may take to open a socket, in milliseconds. Once it is open it is closed with a code and a reason, before the call breaks off. */
const HANDSHAKE = 30_000;
const WITHOUT_BODY = new Set([204, 205, 304]);

/**
 * Calls a service and gives its reply, both as they stream.
 *
 * @throws {Problem} `body-too-large`, `signature-unsupported`, `token-refused`, `upstream-unreachable`, `upstream-timeout`, `upstream-encoding`,
 *   `redirect-refused`.
 */
export async function callService(needs: CallNeeds, caller: Caller, { definition, origin, path, credentials, request, calls }: ServiceCall): Promise<Response> {
  const query = forwardedQuery(request.query, request.tokenParameters, credentials.query);
  const asked = new URL(`${origin}${path.raw}${query === "" ? "" : `?${query}`}`);
  if (asked.pathname !== path.raw) throw new Problem("invalid-request", "The path would not arrive as it came.");
  const watch = watchCall(needs, caller);
  try {
    const whole = timeLeft(needs, caller, definition.max_seconds);
    const ownHosts = ownHostsOf(request.base, needs.insecureOrigins, Object.keys(needs.useHosts));
    const rules = { insecureOrigins: needs.insecureOrigins, ownHosts };
    const { client, signing } = credentials;
    const token = client && (await accessTokenFor(needs, caller, client, rules));
    // Counted from here: what is read before the call goes out takes its time, too.
    const over = AbortSignal.any([watch.signal, AbortSignal.timeout(whole)]);
    const body = limitedBody(request, definition.max_body_bytes, watch.stop, calls);
    const headers = forwardedHeaders(request.headers, credentials.headers, definition.ranges);
    if (token !== null) headers.set("Authorization", `Bearer ${token}`);
    if (request.socket) askForSocket(headers, request.socket);
    const plain = { url: asked, method: request.method, headers, body: body.stream };
    const refused = (error: unknown) => {
      if (body.isTooLarge()) throw tooLarge(definition.max_body_bytes);
      throw refusalOf(error);
    };
    const signed = signing && (await before(over, signRequest(request.headers, plain, signing, needs.now)).catch(refused));
    const handshake = request.socket && untilOpen(over);
    const until = handshake
      ? { firstByte: Math.min(whole, HANDSHAKE), whole: whole + HANDSHAKE, leave: handshake.signal }
      : { firstByte: whole, whole, leave: over };
    const reply = await callOut(rules, { ...plain, ...signed, ...until }).catch(refused);
    if (client && token !== null && reply.status === 401) await forgetAccessToken(needs, caller, client, token);
    const hidden = token === null ? credentials.hidden : [...credentials.hidden, token];
    const { table } = credentials;
    const scrubbing = token === null && table !== null ? prepareByTable(hidden, table) : prepareScrubber(hidden);
    if (request.socket && reply.webSocket) {
      handshake?.opened();
      return relaySocket(reply, reply.webSocket, { offered: request.socket, hidden, scrubbing, whole, over: watch.signal, ended: watch.end, calls });
    }
    return await returned(reply, { definition, asked, base: request.base, calls }, { values: hidden, scrubbing }, request.method, watch.end);
  } catch (error) {
    watch.end();
    throw error;
  }
}

/** Waits for what may wait for the caller, who may never end a body. */
function before<T>(over: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = () => reject(new OutgoingError("ended"));
    if (over.aborted) give();
    over.addEventListener("abort", give);
    work.then(resolve, reject).finally(() => over.removeEventListener("abort", give));
  });
}

/** What breaks a call off that is to become a socket: as any other one, until it has, because that is closed with a code and a reason. */
function untilOpen(over: AbortSignal): { readonly signal: AbortSignal; readonly opened: () => void } {
  const controller = new AbortController();
  const leave = () => controller.abort();
  if (over.aborted) leave();
  over.addEventListener("abort", leave);
  return { signal: controller.signal, opened: () => over.removeEventListener("abort", leave) };
}

/** Why a service did not answer, for its caller. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof OutgoingError)) return error;
  if (error.refusal === "too-slow" || error.refusal === "ended") return new Problem("upstream-timeout", "The service did not answer in time.");
  if (error.refusal === "not-public" || error.refusal === "own-address") return new Problem("use-not-allowed", "Nothing is sent to this address.");
  return new Problem("upstream-unreachable", "The service could not be reached.");
}

/** How long a call may take, in milliseconds: as long as the service lets it, and as the token is valid. */
function timeLeft({ now }: CallNeeds, { expiresAt, verifiedUntil }: Caller, maxSeconds: number): number {
  const ends = [expiresAt, verifiedUntil].flatMap((until) => (until === null ? [] : [until - now.getTime()]));
  return Math.max(0, Math.min(maxSeconds * 1000, ...ends));
}

async function returned(
  reply: Response,
  addresses: { readonly definition: ServiceDefinition; readonly asked: URL; readonly base: string; readonly calls: CallsOfLease | null },
  { values, scrubbing: hidden }: { readonly values: readonly string[]; readonly scrubbing: Scrubbing },
  method: string,
  ended: () => void,
): Promise<Response> {
  const { status } = reply;
  const { definition, calls } = addresses;
  const headers = returnedHeaders(reply.headers, hidden, values);
  try {
    const [location, links] = [reply.headers.get("Location"), reply.headers.get("Link")];
    if (location !== null && REDIRECTS.has(status)) headers.set("Location", scrubText(ownLocation(addresses, location), hidden));
    // What was made elsewhere has no address here, and is made all the same.
    const made = location !== null && status === 201 ? ownAddressOf(addresses, location) : undefined;
    if (made !== undefined) headers.set("Location", scrubText(made, hidden));
    if (links !== null) headers.set("Link", scrubText(ownLinks(addresses, links), hidden));
    const isEmpty = method === "HEAD" || WITHOUT_BODY.has(status) || reply.body === null;
    // The runtime opens what is called exactly `gzip`, and hands on what is called so in any other way as it is.
    const encoding = reply.headers.get("Content-Encoding") ?? "";
    if (!isEmpty && !READABLE.has(encoding)) throw new Problem("upstream-encoding", "The service replied in an encoding that was not asked for.");
    if (isEmpty || reply.body === null) {
      ended();
      await reply.body?.cancel();
      return new Response(null, { status, headers });
    }
    const type = reply.headers.get("Content-Type");
    const fields = definition.url_fields;
    // A part (206) has the length that its header says.
    const rewriting = status !== 206 && hasOwnFields(fields, type) ? ownFields(addresses, fields) : null;
    const length = encoding === "gzip" || rewriting !== null ? null : saidLength(reply.headers);
    const shown = await returnedBody(reply.body, { type, length }, hidden, { ended, rewriting, calls });
    return new Response(shown, { status, headers });
  } catch (error) {
    await reply.body?.cancel();
    throw error;
  }
}

/**
 * The body of a request, up to a size. One whose length is known says so to the service, too. Of any other it is known too late that
 * it is too large: then the call is stopped, because the service would take what it has for all of it.
 */
function limitedBody(
  { body, headers }: ForwardedRequest,
  most: number,
  stop: () => void,
  calls: CallsOfLease | null,
): { stream: ReadableStream<Uint8Array> | null; isTooLarge: () => boolean } {
  const said = saidLength(headers);
  if (body === null) return { stream: null, isTooLarge: () => false };
  if (said !== null) {
    if (said > most) throw tooLarge(most);
    if (calls) calls.sent += said;
    // A connection cuts a body to its length, and a binding does not.
    return { stream: through(body, new FixedLengthStream(said)), isTooLarge: () => false };
  }
  let size = 0;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      size += chunk.length;
      if (calls) calls.sent += chunk.length;
      if (size <= most) return controller.enqueue(chunk);
      stop();
      controller.error(new Error("the body is too large"));
    },
  });
  return { stream: through(body, limit), isTooLarge: () => size > most };
}

/** The length of a body in bytes, where its headers say one. */
function saidLength(headers: Headers): number | null {
  const said = headers.get("Content-Length") ?? "";
  return /^\d{1,15}$/.test(said) ? Number(said) : null;
}

/** What breaks off is told to whoever reads it, and to nobody else. */
function through(body: ReadableStream<Uint8Array>, { readable, writable }: ReadableWritablePair<Uint8Array, Uint8Array>): ReadableStream<Uint8Array> {
  body.pipeTo(writable).catch(() => undefined);
  return readable;
}

function tooLarge(most: number): Problem {
  return new Problem("body-too-large", `The service takes bodies of up to ${most} bytes.`);
}

/** How often an open reply may not have been told whether its token is in force, one after the other. */
const MISSED = 3;

/** Ends a call when its token is not in force any more: that is asked for as long as the reply is open. */
function watchCall(needs: CallNeeds, caller: Caller): { signal: AbortSignal; stop: () => void; end: () => void } {
  const controller = new AbortController();
  let missed = 0;
  const ask = async () => {
    try {
      await readForCaller(needs, caller, []);
      missed = 0;
    } catch (error) {
      missed++;
      if (missed >= MISSED || !(error instanceof Problem && error.code === "storage-unavailable")) controller.abort();
    }
  };
  const timer = setInterval(() => void ask(), needs.staleSeconds * 1000);
  return { signal: controller.signal, stop: () => controller.abort(), end: () => clearInterval(timer) };
}
