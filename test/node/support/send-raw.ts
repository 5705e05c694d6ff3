import { Agent, request } from "node:http";
import type { FuzzedReply } from "../../fuzz/check-reply.ts";
import type { FuzzedRequest } from "../../fuzz/request.ts";
import { type Header, wireHeaders } from "../../fuzz/wire-headers.ts";

const agent = new Agent({ keepAlive: true, maxSockets: 4 });

/** How long a request may wait for its whole reply, in milliseconds. */
const PATIENCE = 60_000;

/** A body of so many bytes, when nobody reads it, makes the server in front of the Worker close the connection: 64 KiB, with what frames them. */
export const UNREAD = 65_000;

/**
 * Sends a request over real HTTP as nearly as Node lets it; `undefined` when the connection was closed without a reply.
 * A request that is left waiting is an error that names it.
 */
export function sendRaw(url: URL, token: string | undefined, fuzzed: FuzzedRequest): Promise<FuzzedReply | undefined> {
  // The next request would meet the closing connection.
  return sendOnce(url, token, fuzzed, (fuzzed.body?.bytes.length ?? 0) < UNREAD);
}

function sendOnce(url: URL, token: string | undefined, fuzzed: FuzzedRequest, kept: boolean): Promise<FuzzedReply | undefined> {
  const { method, target, body, chunked } = fuzzed;
  const { hostname, port } = url;
  const path = target.replaceAll(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character));
  // As a list, so that a header may be there twice. Node then adds neither Host nor the length.
  const headers = wireHeaders(fuzzed, token, [["Host", url.host], ...framing(fuzzed)]).flat();
  const deadline = AbortSignal.timeout(PATIENCE);
  return new Promise((settle, fail) => {
    const close = () => {
      if (deadline.aborted) return fail(new Error(`${method} ${path.slice(0, 500)} is not answered`));
      // A connection that was kept may have been closed because of an earlier request, and a body in chunks that nobody
      // reads can cut off its own reply: then the same is asked in the plainest way.
      settle(outgoing.reusedSocket || chunked ? sendOnce(url, token, { ...fuzzed, chunked: false }, false) : undefined);
    };
    const outgoing = request({ agent: kept ? agent : false, hostname, port, method, path, headers, signal: deadline }, (reply) => {
      const parts: Buffer[] = [];
      reply.on("data", (part: Buffer) => parts.push(part));
      reply.on("error", close);
      reply.on("end", () => {
        const named = Object.entries(reply.headers).map(([name, value]) => [name, [value].flat().join(", ")]);
        settle({ status: reply.statusCode ?? 0, headers: Object.fromEntries(named), text: Buffer.concat(parts).toString() });
      });
    });
    outgoing.on("error", close);
    if (body && chunked) outgoing.write(body.bytes.subarray(0, body.bytes.length / 2));
    outgoing.end(body?.bytes.subarray(chunked ? body.bytes.length / 2 : 0));
  });
}

/** The headers that say where a body ends. */
function framing({ method, body, chunked }: FuzzedRequest): Header[] {
  if (!body) return /^(GET|HEAD)$/.test(method) ? [] : [["Content-Length", "0"]];
  return [chunked ? ["Transfer-Encoding", "chunked"] : ["Content-Length", String(body.bytes.length)]];
}
