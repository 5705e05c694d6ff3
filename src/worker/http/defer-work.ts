import type { Context } from "hono";
import { describeError } from "../describe-error.ts";
import type { HonoEnv } from "./hono-env.ts";

/** Lets work go on after the reply. A failure is one line in the log: whoever made the request has its answer already. */
export function deferWork(c: Context<HonoEnv>, work: Promise<unknown>): void {
  deferAfter(c.executionCtx, c.get("requestId"), work);
}

/** The same, without a context of the framework's. */
export function deferAfter(context: Pick<ExecutionContext, "waitUntil">, requestId: string, work: Promise<unknown>): void {
  const logged = work.catch((error: unknown) => {
    console.error(JSON.stringify({ level: "error", event: "deferred", request_id: requestId, error: describeError(error) }));
  });
  context.waitUntil(logged);
}
