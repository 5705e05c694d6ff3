import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { PROBLEMS, Problem, type ProblemBody } from "../../contract/problem.ts";
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
  const { status, title } = PROBLEMS[problem.code];
  c.set("problem", problem.code);
  const body: ProblemBody = {
    type: `urn:keyhole:problem:${problem.code}`,
    title,
    status,
    code: problem.code,
    detail: problem.message,
    request_id: c.var.requestId,
    ...problem.members,
  };
  return c.body(JSON.stringify(body), status, { "Content-Type": "application/problem+json", ...problem.headers });
}
