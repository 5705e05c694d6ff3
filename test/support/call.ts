import { exports } from "cloudflare:workers";
import { sign, type TokenClaims } from "./sign.ts";

/** A reply, read. `body` is what its JSON says, or its text. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test says itself what it expects of a reply.
  readonly body: any;
  readonly text: string;
  readonly bytes: Uint8Array;
}

export interface CallOptions {
  /** The token, or the claims of one; `null` for none. */
  readonly token?: string | TokenClaims | null;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: BodyInit;
  readonly headers?: Record<string, string>;
}

/** Makes a request of the Worker under test: `call("PUT /v1/secrets", …)`. */
export async function call(request: string, { token = {}, json, body, headers = {} }: CallOptions = {}): Promise<Reply> {
  const [method = "GET", path = "/"] = request.split(" ");
  const bearer = typeof token === "string" || token === null ? token : await sign(token);
  const sent = json === undefined ? body : JSON.stringify(json);
  const reply = await exports.default.fetch(`https://keyhole.test${path}`, {
    method,
    headers: { ...(bearer !== null && { Authorization: `Bearer ${bearer}` }), ...(json !== undefined && { "Content-Type": "application/json" }), ...headers },
    ...(sent !== undefined && { body: sent }),
  });
  const bytes = new Uint8Array(await reply.arrayBuffer());
  const text = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(bytes);
  const isJson = text !== "" && /[/+]json/.test(reply.headers.get("Content-Type") ?? "");
  return { status: reply.status, headers: reply.headers, text, bytes, body: isJson ? JSON.parse(text) : text };
}

/** Sets a secret and returns the reply. */
export function put(scope: string, name: string, value: string, options: CallOptions & { fields?: object } = {}): Promise<Reply> {
  const { fields, ...rest } = options;
  return call(`PUT ${at(scope, name)}`, { ...rest, json: { value, ...fields } });
}

/** The path of a secret by scope and name. */
export function at(scope: string, name: string): string {
  return `/v1/scopes/${encodeURIComponent(scope)}/secrets/${encodeURIComponent(name)}`;
}

/** Resolves, and returns the reply. */
export function resolve(request: object, options: CallOptions = {}): Promise<Reply> {
  return call("POST /v1/resolve", { ...options, json: request });
}
