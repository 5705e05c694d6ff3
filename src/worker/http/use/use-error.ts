import type { Context } from "hono";
import { PROBLEMS, type Problem, problemBody } from "../../../contract/problem.ts";
import { refusalOf } from "../../access/refusal.ts";
import { BASIC_CHALLENGE } from "../../services/use-service.ts";
import type { HonoEnv } from "../hono-env.ts";
import { pathAndQuery } from "./path-and-query.ts";

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
  // What is wrong with a token is said before its organization is known. Once it is, the service has said where it takes one.
  const challenge = refusal && status === 401 && isOfGit(c) ? { "WWW-Authenticate": BASIC_CHALLENGE } : {};
  return c.body(body, status, { ...headers, ...challenge });
}

/** The same without a request of HTTP. `__type` is where clients of AWS look in its JSON protocols. */
export function useRefusal(problem: Problem, requestId: string) {
  const { status } = PROBLEMS[problem.code];
  const { code, message } = problem;
  const body = { error: { message, type: code, code }, message, __type: code, ...problemBody(problem, requestId) };
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

/** What all clients of git ask for (gitprotocol-http(5)), and those of its large files. */
const GIT_PATH = /\/(?:info\/refs|git-(?:upload|receive)-pack|info\/lfs\/.+)$/;
/** What they call themselves: git and libgit2, JGit, go-git, and git-lfs. */
const GIT_CLIENT = /^(?:git|JGit|go-git|git-lfs)\//;

/**
 * Whether a request is of git, which sends no credentials before it is asked for some. Which service it is for, and whether that takes
 * Basic credentials, is not known: services are an organization's, and without a token there is none.
 */
function isOfGit(c: Context<HonoEnv>): boolean {
  return GIT_CLIENT.test(c.req.header("User-Agent") ?? "") || GIT_PATH.test(pathAndQuery(c.req.url).path);
}
