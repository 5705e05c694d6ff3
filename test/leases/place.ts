import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { createApp } from "../../src/worker/http/app.ts";
import type { CallOptions, Reply } from "../support/call.ts";
import { sign } from "../support/sign.ts";

const app = createApp();

/** A place where the Worker runs, with its own memory, over the same D1 and KV as all others. */
export interface Place {
  call(request: string, options?: CallOptions): Promise<Reply>;
  /** Resolves one name under a lease of `maxAge` seconds. */
  resolve(name: string, maxAge: number, options?: CallOptions): Promise<Reply>;
  /** Waits for what requests have left behind, timers included. */
  settle(): Promise<void>;
  /** How often D1 and KV have been asked for anything. */
  readonly asked: { d1: number; kv: number };
}

/** Opens a place. `vars` differ from those of the project. */
export function openPlace(vars: Partial<Record<keyof WorkerEnv, unknown>> = {}): Place {
  const asked = { d1: 0, kv: 0 };
  const counted = { ...env, ...vars, DB: countBatches(env.DB, asked), KV: countGets(env.KV, asked), ...pick(vars, ["DB", "KV"]) } as WorkerEnv;
  const contexts: ExecutionContext[] = [];
  const call = async (request: string, { token = {}, json, body, headers = {} }: CallOptions = {}): Promise<Reply> => {
    const [method = "GET", path = "/"] = request.split(" ");
    const bearer = typeof token === "string" || token === null ? token : await sign(token);
    const sent = json === undefined ? body : JSON.stringify(json);
    const context = createExecutionContext();
    contexts.push(context);
    const reply = await app.fetch(
      new Request(`https://keyhole.test${path}`, {
        method,
        headers: {
          ...(bearer !== null && { Authorization: `Bearer ${bearer}` }),
          ...(json !== undefined && { "Content-Type": "application/json" }),
          // As a client says it, and as the platform passes it on.
          ...(typeof sent === "string" && { "Content-Length": String(sent.length) }),
          ...headers,
        },
        ...(sent !== undefined && { body: sent }),
      }),
      counted,
      context,
    );
    const bytes = new Uint8Array(await reply.arrayBuffer());
    const text = new TextDecoder().decode(bytes);
    const isJson = text !== "" && /[/+]json/.test(reply.headers.get("Content-Type") ?? "");
    return { status: reply.status, headers: reply.headers, bytes, text, body: isJson ? JSON.parse(text) : text };
  };
  return {
    asked,
    call,
    resolve: (name, maxAge, { headers, ...options } = {}) =>
      call(`GET /v1/resolve/${name}?scope=namespace:prod`, { ...options, headers: { "Cache-Control": `max-age=${maxAge}`, ...headers } }),
    async settle() {
      for (const context of contexts.splice(0)) await waitOnExecutionContext(context);
    },
  };
}

function pick(vars: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(vars).filter(([name]) => names.includes(name)));
}

function countBatches(db: D1Database, asked: { d1: number }): D1Database {
  return new Proxy(db, {
    get(target, name) {
      if (name === "batch") asked.d1 += 1;
      const member = Reflect.get(target, name) as unknown;
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

function countGets(kv: KVNamespace, asked: { kv: number }): KVNamespace {
  return new Proxy(kv, {
    get(target, name) {
      if (name === "get") asked.kv += 1;
      const member = Reflect.get(target, name) as unknown;
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
