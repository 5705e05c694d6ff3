import type { Context } from "hono";
import { PROBLEMS, type Problem, problemBody } from "../../../contract/problem.ts";
import { refusalOf } from "../../access/refusal.ts";
import type { HonoEnv } from "../hono-env.ts";

/** What the service has answered already, so that it may have done what was asked. */
const ANSWERED: ReadonlySet<string> = new Set(["redirect-refused", "upstream-encoding"]);
/** What may be another answer when it is asked again. */
const WORTH_REPEATING = new Set([429, 500, 502, 503, 504]);

/**
 * A refusal as clients of APIs read it: `error` with `message`, `type` and `code`, a `message` beside it, and the problem's own members
 * (RFC 9457). `Keyhole-Error` tells it from what the service replied.
 */
export function useError(c: Context<HonoEnv>, problem: Problem): Response {
  c.set("problem", problem.code);
  const refusal = refusalOf(problem);
  if (refusal) c.set("refusal", refusal);
  const { status, body, headers } = useRefusal(problem, c.get("requestId"));
  return c.body(body, status, { ...headers, ...challenge(c, status) });
}

/** The same without a request of HTTP. */
export function useRefusal(problem: Problem, requestId: string) {
  const { status } = PROBLEMS[problem.code];
  const { code, message } = problem;
  const body = { error: { message, type: code, code }, message, ...problemBody(problem, requestId) };
  const once = WORTH_REPEATING.has(status) && !ANSWERED.has(code) ? {} : { "x-should-retry": "false", "stripe-should-retry": "false" };
  const headers: Record<string, string> = {
    "Content-Type": "application/json",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Keyhole-Error": code,
    "x-amzn-errortype": code,
    ...once,
    ...problem.headers,
  };
  return { status, body: JSON.stringify(body), headers };
}

/** git sends no credentials before it is asked for some (RFC 7617). */
function challenge(c: Context<HonoEnv>, status: number): Record<string, string> {
  return status === 401 && /^git\//.test(c.req.header("User-Agent") ?? "") ? { "WWW-Authenticate": 'Basic realm="keyhole", charset="UTF-8"' } : {};
}
