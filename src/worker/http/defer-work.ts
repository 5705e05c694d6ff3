import type { Context } from "hono";
import { describeError } from "../describe-error.ts";
import type { HonoEnv } from "./hono-env.ts";

/** Lets work go on after the reply. A failure is one line in the log: whoever made the request has its answer already. */
export function deferWork(c: Context<HonoEnv>, work: Promise<unknown>): void {
  const logged = work.catch((error: unknown) => {
    console.error(JSON.stringify({ level: "error", event: "deferred", request_id: c.get("requestId"), error: describeError(error) }));
  });
  c.executionCtx.waitUntil(logged);
}
