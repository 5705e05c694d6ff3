import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { closeServer, listen } from "../uses/fake-apis.ts";

/** A fake on loopback. */
export interface ServedFake {
  readonly origin: string;
  readonly close: () => Promise<void>;
}

/** Serves what answers requests as `fetch` has them. */
export async function serveFake(handle: (request: Request) => Promise<Response>): Promise<ServedFake> {
  const server = createServer((request, response) => void answer(handle, request, response));
  return { origin: await listen(server), close: () => closeServer(server) };
}

async function answer(handle: (request: Request) => Promise<Response>, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const { method = "GET", url = "/", headers, rawHeaders } = request;
  const pairs = rawHeaders.flatMap((name, index): [string, string][] => (index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ""]] : []));
  const reply = await handle(new Request(new URL(url, `http://${headers.host}`), { method, headers: pairs, ...(body.length > 0 && { body }) }));
  response.writeHead(reply.status, Object.fromEntries(reply.headers)).end(Buffer.from(await reply.arrayBuffer()));
}
