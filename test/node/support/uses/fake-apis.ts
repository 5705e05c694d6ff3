import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a fake API was asked: none of it but the method and the path is kept. */
export interface FakeApi {
  readonly origin: string;
  /** `METHOD path` of each request that had the right key. */
  readonly asked: string[];
  readonly close: () => Promise<void>;
}

/** A request that came with the key, and its body. */
interface ApiRequest {
  readonly request: IncomingMessage;
  readonly url: URL;
  readonly body: Buffer;
  /** Its body as JSON. */
  readonly json: () => Record<string, unknown>;
}

type Answer = (asked: ApiRequest, response: ServerResponse) => Promise<void> | void;

/**
 * An API on loopback that refuses, in its own words, whatever comes without its key.
 *
 * @param keyOf Where the key of a request is.
 * @param refused What it says to a request without one.
 */
export async function startFakeApi(
  key: string,
  keyOf: (request: IncomingMessage, body: Buffer) => string | undefined,
  refused: object,
  answer: Answer,
): Promise<FakeApi> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    if (keyOf(request, body) !== key) return json(response, 401, refused);
    asked.push(`${request.method} ${request.url}`);
    await answer(
      { request, url: new URL(request.url ?? "/", "http://fake"), body, json: () => JSON.parse(body.toString()) as Record<string, unknown> },
      response,
    );
  });
  const origin = await listen(server);
  return { origin, asked, close: () => closeServer(server) };
}

/** Has a server listen on a free port of loopback. */
export async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Ends a server with all that is open. */
export async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** Answers with JSON. */
export function json(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text), ...headers }).end(text);
}

/** Begins an answer of server-sent events. */
export function events(response: ServerResponse): (data: unknown, event?: string) => void {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  return (data, event) => {
    response.write(`${event === undefined ? "" : `event: ${event}\n`}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`);
  };
}

/** The token of a header `Authorization: Bearer`. */
export function bearerOf({ headers }: IncomingMessage): string | undefined {
  return /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1];
}
