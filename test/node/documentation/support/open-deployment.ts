import { createServer, request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Served, serveWorker } from "../../../../scripts/local/serve-worker.ts";
import { prepareServer } from "../../support/prepare-server.ts";

type Bindings = Readonly<Record<string, string>>;

/** A deployment on this machine, which can be put in the place of itself with other secrets: its address and data stay. */
export interface Deployment {
  readonly url: string;
  /** Requests that were refused: method, path and status. */
  readonly refused: string[];
  /** Serves with these vars and Worker secrets from now on. */
  serve(bindings: Bindings): Promise<void>;
  /** The Worker that is served; fails where none is. */
  served(): Served;
  isServed(): boolean;
  close(): Promise<void>;
}

/** Opens an address. What `serve` then starts there has its data in a folder. */
export async function openDeployment(persistTo: string): Promise<Deployment> {
  let current: Served | undefined;
  let url: URL | undefined;
  const refused: string[] = [];
  const server = createServer((request, reply) => pass(request, reply, url, refused));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refused,
    async serve(bindings) {
      if (current) {
        url = await current.change(bindings);
      } else {
        current = await serveWorker({ port: 0, persistTo, bindings, period: null, onLine: () => undefined, prepared: await prepareServer(persistTo) });
        url = current.url;
      }
    },
    served() {
      if (!current) throw new Error("nothing is deployed yet");
      return current;
    },
    isServed: () => current !== undefined,
    async close() {
      await current?.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A port of its own could be somebody else's by the time that the Worker is served again: this address stays, and leads to where it is. */
function pass(request: IncomingMessage, reply: ServerResponse, url: URL | undefined, refused: string[]): void {
  const { method = "GET", url: path = "/", headers } = request;
  const answer = (status: number) => {
    if (status >= 400) refused.push(`${method} ${path}: ${status}`);
    return status;
  };
  if (!url) return void reply.writeHead(answer(502)).end();
  const passed = forward(new URL(path, url), { method, headers: { ...headers, host: url.host } }, (response) => {
    reply.writeHead(answer(response.statusCode ?? 502), response.headers);
    response.pipe(reply);
  });
  passed.on("error", () => reply.headersSent || reply.writeHead(answer(502)).end());
  request.pipe(passed);
}
