import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { PROBLEMS, Problem, problemBody } from "../../contract/problem.ts";
import { refusalOf } from "../access/refusal.ts";
import type { HonoEnv } from "./hono-env.ts";

/** Anything that was thrown, as a problem. What is not meant for clients becomes `internal` and says nothing. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HTTPException) {
    if (error.status === 415)
      return new Problem("unsupported-media-type", "The Content-Type of the body is not one that this route takes; the API description lists them.");
    if (error.status === 400) return new Problem("invalid-request", "The body is not what its Content-Type says: it could not be parsed.");
  }
  return new Problem("internal", "Something went wrong here. The request id finds it in the log.", { cause: error });
}

/** A problem as RFC 9457 has it. */
export function problemReply(c: Context<HonoEnv>, problem: Problem): Response {
  c.set("problem", problem.code);
  const refusal = refusalOf(problem);
  if (refusal) c.set("refusal", refusal);
  return c.body(JSON.stringify(problemBody(problem, c.get("requestId"))), PROBLEMS[problem.code].status, {
    "Content-Type": "application/problem+json",
    ...problem.headers,
  });
}
