import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import type { TestProject } from "vitest/node";
import type { UpstreamReply } from "../services/upstream-reply.ts";

/** Connections of endless replies that were closed by whoever asked, by path. */
const gone = new Map<string, number>();

/**
 * An API on loopback: below `/echo` it says what it was asked, below `/reply/` it answers what is there in base64url, and
 * `/gone/…` says how often the reply of that path was left. It is a Vault with one secret, too.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  project.provide("upstream", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? "/";
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return void response.destroy();
  }
  if (path.startsWith("/gone/")) return void response.end(String(gone.get(path.slice("/gone".length)) ?? 0));
  const [, coded] = /^\/reply\/([A-Za-z0-9_-]+)/.exec(path) ?? [];
  if (coded !== undefined) return reply(request, response, JSON.parse(Buffer.from(coded, "base64url").toString()) as UpstreamReply);
  const vault = vaultReply(path);
  if (vault) return void response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(vault));
  const said = { method: request.method, url: path, headers: request.rawHeaders, body: Buffer.concat(chunks).toString() };
  // What it was sent as a credential is not said here: it would be scrubbed.
  response.writeHead(200, { "Content-Type": "application/json", "Set-Cookie": "a=b" }).end(JSON.stringify(said));
}

/** As a Vault it gives everybody a token, and has one secret. */
function vaultReply(path: string): object | undefined {
  if (path === "/v1/auth/jwt/login") return { auth: { client_token: "s.of-upstream", lease_duration: 3600 } };
  return /^\/v1\/secret\/metadata\/?\?list=true$/.test(path) ? { data: { keys: ["FOUND"] } } : undefined;
}

async function reply(request: IncomingMessage, response: ServerResponse, spec: UpstreamReply): Promise<void> {
  if (spec.silent) return;
  const fill = (text: string) =>
    text.replaceAll(/\{\{(?:(\w+):)?([\w-]+)\}\}/g, (_, form: string | undefined, name: string) => formOf(form, String(request.headers[name] ?? "")));
  const headers = Object.fromEntries(Object.entries(spec.headers ?? {}).map(([name, value]) => [name, fill(value)]));
  const parts = (spec.chunks ?? []).map(fill);
  const path = request.url ?? "";
  if (spec.encoding !== undefined) {
    const whole = Buffer.from(parts.join(""));
    return void response
      .writeHead(spec.status ?? 200, { ...headers, "Content-Encoding": spec.encoding })
      .end(spec.encoding === "gzip" ? gzipSync(whole) : whole);
  }
  const length = spec.sized === false || spec.endless || spec.broken ? {} : { "Content-Length": Buffer.byteLength(parts.join("")) };
  response.writeHead(spec.status ?? 200, { "Content-Type": "text/plain", ...headers, ...length });
  for (const part of parts) {
    response.write(part);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  if (spec.broken) return void response.destroy();
  if (!spec.endless) return void response.end();
  const timer = setInterval(() => response.write(`${"x".repeat(63)}\n`), 10);
  response.once("close", () => {
    clearInterval(timer);
    gone.set(path, (gone.get(path) ?? 0) + 1);
  });
}

function formOf(form: string | undefined, text: string): string {
  const bytes = Buffer.from(text);
  if (form === "hex") return bytes.toString("hex");
  if (form === "base64") return bytes.toString("base64");
  if (form === "base64url") return Buffer.from(`x${text}`).toString("base64url");
  if (form === "percent") return [...bytes].map((byte) => `%${byte.toString(16)}`).join("");
  if (form === "json") return JSON.stringify(text);
  return text;
}
