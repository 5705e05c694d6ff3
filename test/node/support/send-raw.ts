import { Agent, request } from "node:http";
import type { FuzzedReply } from "../../fuzz/check-reply.ts";
import type { FuzzedRequest } from "../../fuzz/request.ts";

const agent = new Agent({ keepAlive: true, maxSockets: 4 });

/** How long a request may wait for its whole reply, in milliseconds. */
const PATIENCE = 60_000;

/**
 * Sends a request over real HTTP as nearly as Node lets it; `undefined` when the connection was closed without a reply.
 * A request that is left waiting is an error that names it.
 */
export function sendRaw(url: URL, token: string | undefined, { method, target, headers, body }: FuzzedRequest): Promise<FuzzedReply | undefined> {
  const sent: Record<string, string> = {
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    ...(body?.type !== undefined && { "Content-Type": body.type }),
  };
  for (const [name, value] of headers) sent[name] = value;
  if (body) sent["Content-Length"] = String(body.bytes.length);
  const { hostname, port } = url;
  const path = target.replaceAll(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character));
  const deadline = AbortSignal.timeout(PATIENCE);
  return new Promise((settle, fail) => {
    const close = () => (deadline.aborted ? fail(new Error(`${method} ${path.slice(0, 500)} is not answered`)) : settle(undefined));
    const outgoing = request({ agent, hostname, port, method, path, headers: sent, signal: deadline }, (reply) => {
      const parts: Buffer[] = [];
      reply.on("data", (part: Buffer) => parts.push(part));
      reply.on("error", close);
      reply.on("end", () => {
        const named = Object.entries(reply.headers).map(([name, value]) => [name, [value].flat().join(", ")]);
        settle({ status: reply.statusCode ?? 0, headers: Object.fromEntries(named), text: Buffer.concat(parts).toString() });
      });
    });
    outgoing.on("error", close);
    outgoing.end(body?.bytes);
  });
}
