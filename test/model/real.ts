import { vi } from "vitest";
import { STILL } from "../support/still.ts";
import type { Model } from "./model.ts";

const DAY = 86_400_000;

/** The Worker under test, wherever it runs. */
export interface Worker {
  readonly app: { fetch(request: Request, env: object, context: never): Response | Promise<Response> };
  readonly runScheduled: (env: never, now: Date, pace: typeof STILL) => Promise<void>;
  readonly env: { readonly KV: object; readonly DB: object };
  /** A token for everything in an organization. */
  readonly sign: (org: string) => Promise<string>;
}

/** A reply, read. */
export interface Reply {
  readonly status: number;
  readonly etag: string;
  // biome-ignore lint/suspicious/noExplicitAny: a command says itself what it expects of a reply.
  readonly body: any;
}

/** One organization of the Worker under test. */
export interface Real {
  readonly call: (request: string, json?: unknown, headers?: Record<string, string>) => Promise<Reply>;
  /** Runs the scheduled work. */
  readonly schedule: () => Promise<void>;
  /** Lets KV refuse what is put into it, or take it again. */
  readonly setKvDown: (down: boolean) => void;
}

/** Connects to an organization. The time is that of the model. What the Worker does after a reply is waited for. */
export async function connect(worker: Worker, org: string, model: Pick<Model, "now">): Promise<Real> {
  const authorization = { Authorization: `Bearer ${await worker.sign(org)}` };
  let kvDown = false;
  let lastRun = 0;
  const env = { ...worker.env, KV: switchable(worker.env.KV, () => kvDown) };

  async function call(request: string, json?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    vi.setSystemTime(model.now);
    const [method = "GET", path = "/"] = request.split(" ");
    const work: Promise<unknown>[] = [];
    const context = { waitUntil: (promise: Promise<unknown>) => void work.push(promise), passThroughOnException() {}, props: {} };
    const type = json === undefined ? {} : { "Content-Type": "application/json" };
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    const reply = await worker.app.fetch(
      new Request(`https://keyhole.test${path}`, { method, headers: { ...authorization, ...type, ...headers }, ...body }),
      env,
      context as never,
    );
    const text = await reply.text();
    await Promise.all(work);
    return { status: reply.status, etag: reply.headers.get("ETag") ?? "", body: text === "" ? undefined : JSON.parse(text) };
  }

  async function schedule(): Promise<void> {
    vi.setSystemTime(model.now);
    // The first run after more than a day only records itself; when others ran is not known here.
    const runs = model.now - lastRun > DAY ? 2 : 1;
    lastRun = model.now;
    for (let n = 0; n < runs; n++)
      await worker.runScheduled(env as never, new Date(model.now), STILL).catch((error: unknown) => {
        // What cannot be put on record outside D1 is a failure, which the platform shows.
        if (!kvDown) throw error;
      });
  }

  return {
    call,
    schedule,
    setKvDown(down) {
      kvDown = down;
    },
  };
}

function switchable(kv: object, isDown: () => boolean): object {
  return new Proxy(kv, {
    get(target, property) {
      if (property === "put" && isDown()) return () => Promise.reject(new Error("KV is down"));
      const member: unknown = Reflect.get(target, property);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
