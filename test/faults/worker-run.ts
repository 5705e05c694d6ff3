import { vi } from "vitest";
import type { Env } from "../../src/worker/config.ts";
import { createApp } from "../../src/worker/http/app.ts";
import type { CallOptions, Reply } from "../support/call.ts";
import { sign } from "../support/sign.ts";
import type { Watched } from "./binding-faults.ts";

/** When everything in a cell happens, but for scheduled runs. */
export const START = Date.parse("2026-12-01T00:00:00Z");
const app = createApp();
/** Longer than any deadline, in milliseconds. */
const PAST_DEADLINES = 11_000;

/** What a client saw; `"nothing"` when the Worker died before it replied, or while it did. */
export type Seen = Reply | "nothing";

/** Waits for work of a Worker, and lets the deadline pass when a call hangs. */
export async function settled<T>({ stuck }: Watched, work: Promise<T>): Promise<T | "nothing"> {
  const outcome = await Promise.race([work.then((value) => ({ value })), stuck]);
  if (typeof outcome === "object") return outcome.value;
  if (outcome === "died") return "nothing";
  await vi.advanceTimersByTimeAsync(PAST_DEADLINES);
  return work;
}

/** Makes a request of a Worker with watched bindings, and waits for what it does after the reply. */
export async function ask(watched: Watched, org: string, request: string, { token = {}, json, body, headers = {} }: CallOptions = {}): Promise<Seen> {
  const [method = "GET", path = "/"] = request.split(" ");
  const deferred: Promise<unknown>[] = [];
  const context = { waitUntil: (work: Promise<unknown>) => void deferred.push(work), passThroughOnException: () => {}, props: {} };
  const bearer = token === null ? undefined : typeof token === "string" ? token : await sign({ org, ...token });
  const sent = json === undefined ? body : JSON.stringify(json);
  const asked = new Request(`https://keyhole.test${path}`, {
    method,
    headers: {
      ...(bearer !== undefined && { Authorization: `Bearer ${bearer}` }),
      ...(json !== undefined && { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(sent !== undefined && { body: sent }),
  });
  const answered = Promise.resolve(app.fetch(asked, watched.env as Env & WorkerEnv, context as unknown as ExecutionContext));
  const reply = await settled(watched, answered.then(read));
  await settled(watched, Promise.all(deferred));
  return reply;
}

async function read(reply: Response): Promise<Reply> {
  const bytes = new Uint8Array(await reply.arrayBuffer());
  const text = new TextDecoder().decode(bytes);
  const isJson = text !== "" && /[/+]json/.test(reply.headers.get("Content-Type") ?? "");
  return { status: reply.status, headers: reply.headers, bytes, text, body: isJson ? JSON.parse(text) : text };
}
