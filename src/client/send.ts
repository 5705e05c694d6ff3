import type { ProblemBody } from "../contract/problems.ts";
import { parseRetryAfter } from "./backoff.ts";
import { mayPass, neverConnected } from "./connection-fault.ts";
import { isOutage } from "./failure-kind.ts";
import { fetchReply } from "./fetch-reply.ts";
import { fromProblem, KeyholeError } from "./keyhole-error.ts";
import { LostReply } from "./lost-reply.ts";
import { tryToRead } from "./read-reply.ts";
import { problem } from "./readers/problem.ts";
import { repeat } from "./repeat.ts";
import type { TokenSource } from "./token-source.ts";
import type { CallOptions } from "./types/calls.ts";

/** One request. */
interface Request extends CallOptions {
  readonly method: "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Record<string, string | number | boolean | readonly string[] | undefined> | undefined;
  readonly json?: unknown;
  readonly body?: string | undefined;
  readonly headers?: Record<string, string | undefined> | undefined;
  /** Whether a POST may be sent twice. The other methods but PATCH may by their nature. */
  readonly repeatable?: boolean;
  readonly anonymous?: boolean;
  /** Whether the reply is read while it comes. */
  readonly streamed?: boolean;
}

/** How requests reach the service. */
export interface Transport {
  readonly baseUrl: string;
  readonly fetch: typeof globalThis.fetch;
  readonly token: TokenSource;
  readonly retries: number;
  readonly timeout: number;
}

/** A reply with a status that is a success, or 304. */
export type Send = (request: Request) => Promise<Response>;

/** Sends requests, and sends them again where that is safe and could help. What gives the token does that by itself. */
export function createSend(transport: Transport): Send {
  return async (request) => {
    if (!request.anonymous) await transport.token.get();
    const repeating = { retries: transport.retries, mayRepeat: (error: KeyholeError) => mayRepeat(request, error), signal: request.signal };
    let perhapsDone = false;
    return repeat(repeating, async () => {
      try {
        return await sendOnce(transport, request);
      } catch (error) {
        if (perhapsDone && foundNothing(request, error)) return new LostReply();
        perhapsDone ||= mayHaveBeenDone(error);
        throw error;
      }
    });
  };
}

/** Whether a delete found nothing: after an attempt that may have been carried out, because that one did it. */
function foundNothing({ method }: Request, error: unknown): boolean {
  return method === "DELETE" && error instanceof KeyholeError && error.status === 404;
}

/** Whether an attempt that failed may have been carried out all the same: its reply was lost, or the service failed on the way. */
function mayHaveBeenDone(error: unknown): boolean {
  if (!(error instanceof KeyholeError)) return false;
  return error.code === "unreachable" ? !neverConnected(error.cause) : (error.status ?? 0) >= 500;
}

function mayRepeat({ method, headers, repeatable }: Request, { code, status, cause }: KeyholeError): boolean {
  // The service says that nothing of it has happened: its conditions are judged anew.
  if (code === "write-conflict") return true;
  if (method === "PATCH" || (method === "POST" && !repeatable)) return false;
  if (status === 429) return true;
  // The first attempt may have been carried out: then its own precondition no longer holds.
  if (method !== "GET" && method !== "POST" && (headers?.["If-Match"] ?? headers?.["If-None-Match"]) !== undefined) return false;
  return isOutage(status) || (code === "unreachable" && mayPass(cause));
}

/** One attempt; a second one with another token when the first is answered 401 and there is another. */
async function sendOnce(transport: Transport, request: Request): Promise<Response> {
  if (request.anonymous) return expectSuccess(await exchange(transport, request, undefined));
  const token = await transport.token.get();
  const reply = await exchange(transport, request, token);
  if (reply.status !== 401) return expectSuccess(reply);
  const renewed = await transport.token.renew(token);
  if (renewed === undefined) return expectSuccess(reply);
  await reply.body?.cancel();
  return expectSuccess(await exchange(transport, request, renewed));
}

function exchange({ baseUrl, fetch, timeout }: Transport, request: Request, token: string | undefined): Promise<Response> {
  const { method, json, signal, streamed } = request;
  const body = json === undefined ? request.body : JSON.stringify(json);
  const init = { method, headers: headersOf(request, token), ...(body !== undefined && { body }) };
  return fetchReply({ fetch, url: urlOf(baseUrl, request), init, timeout, signal, streamed });
}

function urlOf(baseUrl: string, { path, query = {} }: Request): string {
  const parameters = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : (Array.isArray(value) ? value : [value]).map((one) => [name, String(one)]),
  );
  const search = new URLSearchParams(parameters).toString();
  return `${baseUrl}${path}${search && `?${search}`}`;
}

function headersOf({ json, headers = {} }: Request, token: string | undefined): Record<string, string> {
  const given = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const type = json === undefined ? {} : { "Content-Type": "application/json" };
  return { ...(token !== undefined && { Authorization: `Bearer ${token}` }), ...type, ...Object.fromEntries(given) };
}

async function expectSuccess(reply: Response): Promise<Response> {
  if (reply.ok || reply.status === 304) return reply;
  const retryAfter = parseRetryAfter(reply.headers.get("Retry-After"));
  const body = await readProblem(reply);
  if (body) throw fromProblem(body, retryAfter);
  const what = reply.status === 0 || (reply.status >= 300 && reply.status < 400) ? "a redirect" : `status ${reply.status}`;
  throw new KeyholeError("unexpected-reply", `The reply is ${what} and no problem of Keyhole's: is this the address of the service?`, {
    status: reply.status,
    retryAfter,
  });
}

async function readProblem(reply: Response): Promise<ProblemBody | undefined> {
  if (!/^application\/problem\+json/i.test(reply.headers.get("Content-Type") ?? "")) return undefined;
  return tryToRead(reply, problem);
}
