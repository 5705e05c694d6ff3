import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the tests' issuer listens. */
    issuer: string;
    /** Where the API of the tests listens. */
    upstream: string;
  }
}

/** What the issuer answers under a path. `delay` is in milliseconds. */
interface Document {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly delay?: number;
}

const documents = new Map<string, Document>();
const counts = new Map<string, number>();

/**
 * Serves, on loopback and for the whole run, whatever documents the tests publish: `PUT` sets what is answered under a
 * path, `REPORT` tells how often it was asked for. Each test makes up a path of its own.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  project.provide("issuer", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? "/";
  if (request.method === "PUT") {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    documents.set(path, JSON.parse(Buffer.concat(chunks).toString()) as Document);
    return void response.end();
  }
  if (request.method === "REPORT") return void response.end(String(counts.get(path) ?? 0));
  counts.set(path, (counts.get(path) ?? 0) + 1);
  const { status = 200, headers = {}, body = "", delay = 0 } = documents.get(path) ?? { status: 404 };
  const timer = setTimeout(() => response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(body), delay);
  response.once("close", () => clearTimeout(timer));
}
