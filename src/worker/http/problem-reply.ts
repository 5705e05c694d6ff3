import type { Context } from "hono";
import { PROBLEMS, type Problem, problemBody } from "../../contract/problem.ts";
import { refusalOf } from "../access/refusal.ts";
import type { HonoEnv } from "./hono-env.ts";

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
