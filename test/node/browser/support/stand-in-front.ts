import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

const TYPES: Readonly<Record<string, string>> = { html: "text/html; charset=utf-8", js: "text/javascript", css: "text/css", svg: "image/svg+xml" };
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const HOUR = 3_600_000;

interface Session {
  readonly token: string;
  readonly body: object;
}

/**
 * What stands before the Worker while it serves no console itself: the built pages under the policy that they are made for, a session
 * for a token or a code, and the verbs for the session. It keeps nobody out: that is the Worker's to do, and to test.
 *
 * @param codes Tokens by the one-time codes that stand for them.
 * @returns its origin, and what ends it.
 */
export async function standInFront(worker: string, dist: string, codes: Map<string, string>): Promise<{ origin: string; close: () => Promise<void> }> {
  const sessions = new Map<string, Session>();
  const waiting = new Map<string, Session>();
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { origin, close };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search } = new URL(request.url ?? "/", "http://localhost");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const id = /(?:^|; )keyhole=([^;]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
    if (!pathname.startsWith("/console/api/")) return page(response, pathname);
    if (request.headers["keyhole-console"] !== "1" || request.headers["sec-fetch-site"] !== "same-origin") return problem(response, 403, "forbidden");
    if (pathname === "/console/api/session") return session(request.method ?? "", id, body, response);
    if (pathname === "/console/api/logins") return json(response, 200, { logins: [] });
    const current = sessions.get(id);
    if (!current) return problem(response, 401, "unauthenticated");
    if (pathname.startsWith("/console/api/approvals/")) return approval(request.method ?? "", pathname.split("/").at(-1) ?? "", current, response);
    return pass(request, `${pathname.slice("/console/api".length)}${search}`, current.token, body, response);
  }

  function approval(method: string, code: string, { body }: Session, response: ServerResponse): void {
    if (method === "POST") {
      response.writeHead(204).end();
      return;
    }
    const asked = { client: "a device", address: "192.0.2.7", code, expires_at: new Date(Date.now() + HOUR).toISOString() };
    json(response, 200, { ...body, permissions: ["secrets:read"], ...asked });
  }

  function page(response: ServerResponse, pathname: string): void {
    const name = pathname.slice("/console/".length);
    const file = /^[\w.-]+\.(?:js|css|svg)$/.test(name) && existsSync(join(dist, name)) ? name : "index.html";
    response.writeHead(200, { "Content-Type": TYPES[file.split(".").at(-1) ?? ""] ?? "", "Content-Security-Policy": POLICY, "Cache-Control": "no-cache" });
    response.end(readFileSync(join(dist, file)));
  }

  async function session(method: string, id: string, body: Buffer, response: ServerResponse): Promise<void> {
    if (method === "DELETE") {
      sessions.delete(id);
      response.writeHead(204).end();
      return;
    }
    if (method === "GET") {
      const found = sessions.get(id);
      return found ? json(response, 200, found.body) : problem(response, 401, "unauthenticated");
    }
    const { token, code, confirm } = JSON.parse(body.toString()) as Record<string, string>;
    const asked = confirm === undefined ? await sessionOf(token ?? takeCode(code ?? "")) : waiting.get(confirm);
    if (!asked) return problem(response, 401, "unauthenticated");
    if (confirm === undefined && sessions.has(id)) {
      const confirmation = randomUUID();
      waiting.set(confirmation, asked);
      return json(response, 200, { confirm: confirmation, ...asked.body });
    }
    const fresh = randomUUID();
    sessions.delete(id);
    sessions.set(fresh, asked);
    json(response, 200, asked.body, { "Set-Cookie": `keyhole=${fresh}; Path=/; HttpOnly; SameSite=Strict` });
  }

  function takeCode(code: string): string | undefined {
    const token = codes.get(code);
    codes.delete(code);
    return token;
  }

  async function sessionOf(token: string | undefined): Promise<Session | undefined> {
    if (token === undefined) return undefined;
    const reply = await fetch(`${worker}/v1/whoami`, { headers: { Authorization: `Bearer ${token}` } });
    if (!reply.ok) return undefined;
    const { org, sub, permissions, secret_scopes, secret_names, services, expires_at } = (await reply.json()) as Record<string, unknown>;
    const idle_expires_at = new Date(Date.now() + HOUR / 2).toISOString();
    return { token, body: { organization: org, subject: sub, permissions, secret_scopes, secret_names, services, expires_at, idle_expires_at } };
  }

  async function pass(request: IncomingMessage, path: string, token: string, body: Buffer, response: ServerResponse): Promise<void> {
    const headers = new Headers({ Authorization: `Bearer ${token}`, "User-Agent": request.headers["user-agent"] ?? "" });
    for (const name of ["content-type", "if-match", "if-none-match"]) {
      const value = request.headers[name];
      if (typeof value === "string") headers.set(name, value);
    }
    const reply = await fetch(`${worker}${path}`, { method: request.method ?? "GET", headers, ...(body.length > 0 && { body: new Uint8Array(body) }) });
    const kept = ["content-type", "x-request-id", "keyhole-deleted-until", "retry-after"].flatMap((name) => {
      const value = reply.headers.get(name);
      return value === null ? [] : [[name, value]];
    });
    response.writeHead(reply.status, Object.fromEntries(kept));
    response.end(Buffer.from(await reply.arrayBuffer()));
  }
}

function json(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "Content-Type": "application/json", "X-Request-Id": `req_${randomUUID()}`, ...headers }).end(JSON.stringify(body));
}

function problem(response: ServerResponse, status: number, code: string): void {
  const body = { type: `urn:keyhole:problem:${code}`, title: "A valid token is needed", status, code, detail: "The token is not valid.", request_id: "req_1" };
  response.writeHead(status, { "Content-Type": "application/problem+json" }).end(JSON.stringify(body));
}
