import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { createApp } from "../../src/worker/http/app.ts";
import type { CallOptions, Reply } from "./call.ts";
import { sign } from "./sign.ts";

const app = createApp();

/** Makes requests of a Worker whose vars, secrets or bindings differ from those of the project. */
export function callWith(vars: Partial<Record<keyof WorkerEnv, unknown>>) {
  const changed = { ...env, ...vars } as WorkerEnv;
  return async (request: string, { token = {}, json, body, headers = {} }: CallOptions = {}): Promise<Reply> => {
    const [method = "GET", path = "/"] = request.split(" ");
    const url = new URL(path, "https://keyhole.test");
    const bearer = typeof token === "string" || token === null ? token : await sign(token);
    const sent = json === undefined ? body : JSON.stringify(json);
    const context = createExecutionContext();
    const reply = await app.fetch(
      new Request(url, {
        method,
        headers: {
          ...(bearer !== null && { Authorization: `Bearer ${bearer}` }),
          ...(json !== undefined && { "Content-Type": "application/json" }),
          ...headers,
        },
        ...(sent !== undefined && { body: sent }),
      }),
      changed,
      context,
    );
    const bytes = new Uint8Array(await reply.arrayBuffer());
    const text = new TextDecoder().decode(bytes);
    await waitOnExecutionContext(context);
    return {
      status: reply.status,
      headers: reply.headers,
      bytes,
      text,
      body: /[/+]json/.test(reply.headers.get("Content-Type") ?? "") ? JSON.parse(text) : text,
    };
  };
}
