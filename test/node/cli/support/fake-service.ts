import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** What a fake service answers next: nothing, a problem's status and code, or JSON. */
type Answer = { status: 204 } | { status: number; code: string } | { json: unknown; status?: number; headers?: Record<string, string> };

/** A service that answers what a test says, on a port that stays the same while it is down. */
export interface FakeService {
  readonly url: string;
  /** Called for each request; the reply waits for it. */
  answer: (request: IncomingMessage, body: string) => Answer | Promise<Answer>;
  stop(): Promise<void>;
}

/** Starts a fake service. */
export async function startFakeService(answer: FakeService["answer"]): Promise<FakeService> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const reply = await service.answer(request, body);
    if ("json" in reply)
      return void response.writeHead(reply.status ?? 200, { "Content-Type": "application/json", ...reply.headers }).end(JSON.stringify(reply.json));
    if (!("code" in reply)) return void response.writeHead(reply.status).end();
    const { status, code } = reply;
    const problem = { type: `urn:keyhole:problem:${code}`, title: code, status, code, detail: `It is ${code}.`, request_id: "req_1" };
    response.writeHead(status, { "Content-Type": "application/problem+json", "Retry-After": "0" }).end(JSON.stringify(problem));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const service: FakeService = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return service;
}
