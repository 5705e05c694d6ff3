import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { CLI_CLIENT, deviceAuthorizationReplySchema, deviceAuthorizationSchema } from "../../../contract/oauth-client.ts";
import { Problem, type ProblemCode } from "../../../contract/problem.ts";
import { ACCESS_TOKEN_TYPE, exchangeReplySchema, exchangeSchema, type OAUTH_ERRORS, oauthErrorSchema } from "../../../contract/trust.ts";
import { IssuerError } from "../../access/fetch-issuer-document.ts";
import { ExchangeError } from "../../grants/exchange-error.ts";
import { type Exchanged, exchangeToken } from "../../grants/exchange-token.ts";
import { narrowToken } from "../../grants/narrow-token.ts";
import { DEVICE_PAUSE, DEVICE_TIME, waitForApproval } from "../../sessions/device-requests.ts";
import { noteRevoked, refusalsOf } from "../count-refusal.ts";
import { json } from "../docs/responses.ts";
import { type Front, frontApp, refuseRoute, serveRoutes } from "../front.ts";
import type { HonoEnv } from "../hono-env.ts";
import { setCaller } from "../middleware/authenticate.ts";
import { configure } from "../middleware/configure.ts";
import { limitCaller } from "../middleware/limit-calls.ts";
import { countFailure } from "../middleware/limit-rate.ts";
import { needsOf } from "../needs-of.ts";
import { publicRoute } from "../operation.ts";
import { originOf } from "../origin-of.ts";
import { formBody } from "../parse/body.ts";
import { problemReply } from "../problem-reply.ts";
import { problemOfCall, toProblem } from "../to-problem.ts";
import { parseAuthorization } from "./parse-authorization.ts";
import { fieldsOf, type NarrowingExchange, parseExchange } from "./parse-exchange.ts";
import { parseGrant } from "./parse-grant.ts";
import { takeGrant } from "./take-grant.ts";

const MAX_BYTES = 65_536;
const RETRY_AFTER = { "Retry-After": { schema: { type: "integer" as const } } };

const FORM = /^application\/x-www-form-urlencoded(?:;\s*[a-z0-9-]+=[^;]+)*$/i;

/** RFC 8693 takes this one form of a body. */
const requireForm = createMiddleware<HonoEnv>(async (c, next) => {
  if (FORM.test(c.req.header("Content-Type") ?? "")) return next();
  return refuse(c, "invalid_request", "Send application/x-www-form-urlencoded.", 415);
});

const limitBody = bodyLimit({ maxSize: MAX_BYTES, onError: (c) => refuse(c, "invalid_request", "The request is too large.", 413) });

const routes = [
  publicRoute(
    {
      method: "post",
      path: "/oauth/token",
      id: "exchangeToken",
      summary: "Exchange an identity token for a Keyhole token, or make one's own narrower",
      description:
        "RFC 8693 token exchange; with `grant_type` `authorization_code` (RFC 6749, with PKCE) or `urn:ietf:params:oauth:grant-type:device_code` (RFC 8628) also what a program that logs in takes its token with: `client_id` is `keyhole-cli`, and there is `code`, `redirect_uri` and `code_verifier`, or `device_code`. With one's own access token as `subject_token` it gives a child of the same subject that may do no more, lives no longer and is revoked with it; what is left out is as the token itself has it. No permission is needed for that, and of the children's number the organization's quota of tokens is the limit. Refusals are RFC 6749 errors; they do not say what was wrong with the subject token.",
      tag: "Trusts",
      middleware: [requireForm, configure, limitBody],
      body: formBody(exchangeSchema),
      replies: {
        200: json(exchangeReplySchema, "The token."),
        400: json(oauthErrorSchema, "Refused."),
        413: json(oauthErrorSchema, "The request is too large."),
        415: json(oauthErrorSchema, "The body is not form-encoded."),
        429: {
          ...json(oauthErrorSchema, "Too many refused identity tokens from this address, or more tokens than the organization may have."),
          headers: RETRY_AFTER,
        },
        503: { ...json(oauthErrorSchema, "The issuer or the storage is not available."), headers: RETRY_AFTER },
      },
    },
    answerToken,
  ),
  publicRoute(
    {
      method: "post",
      path: "/oauth/device_authorization",
      id: "authorizeDevice",
      summary: "Log a program in where there is no browser",
      description:
        "RFC 8628, for `keyhole login --device`: the program shows `user_code` and where to type it, and asks `/oauth/token` for what was decided. What it gets never has `tokens:write`, `trusts:write` or `keys:*`.",
      tag: "Logins",
      middleware: [requireForm, configure, limitBody],
      body: formBody(deviceAuthorizationSchema),
      replies: {
        200: json(deviceAuthorizationReplySchema, "The program waits from now on."),
        400: json(oauthErrorSchema, "Refused."),
        413: json(oauthErrorSchema, "The request is too large."),
        415: json(oauthErrorSchema, "The body is not form-encoded."),
        429: { ...json(oauthErrorSchema, "Too many programs wait."), headers: RETRY_AFTER },
        503: { ...json(oauthErrorSchema, "The storage is not available."), headers: RETRY_AFTER },
      },
    },
    authorizeDevice,
  ),
];

/** Where a person's browser goes: no client calls it, and the API description has it not. */
const pages = [
  publicRoute(
    {
      method: "get",
      path: "/oauth/authorize",
      id: "authorizeProgram",
      summary: "Log a program in, by the browser of its user",
      description:
        "RFC 6749, section 4.1, for `keyhole login`: `response_type=code`, `client_id=keyhole-cli`, PKCE by `S256`, and as `redirect_uri` `http://127.0.0.1:<port>/callback`, exactly. Leads to a page of the console that asks; the code goes to the redirect URI, with `state` and `iss` (RFC 9207), and is good once and for a minute.",
      tag: "Logins",
      head: false,
      problems: ["invalid-request"],
      replies: { 302: { description: "To the page that asks, or back with `error`." } },
    },
    authorize,
  ),
];

type OAuthError = (typeof OAUTH_ERRORS)[number];

/** The front of OAuth, the token exchange and the logins of programs: no bearer token, forms of at most 64 KiB, and OAuth's errors instead of problem details. */
export function oauthFront(): Front {
  const app = frontApp();
  const served = [...routes, ...pages];
  serveRoutes(app, served);
  app.notFound(refuseRoute(served));
  app.onError(refuseError);
  const paths: ReadonlySet<string> = new Set(served.map(({ path }) => path));
  return { takes: (path) => paths.has(path), app, routes };
}

async function answerToken(c: Context<HonoEnv>): Promise<Response> {
  const form = await c.req.text();
  const grant = parseGrant(form);
  if (grant === undefined) return answerExchange(c, form);
  if ("error" in grant) return refuse(c, grant.error, grant.detail);
  const given = await takeGrant(c, grant);
  if ("error" in given) return given.isGuess ? ((await refuseTooMany(c)) ?? refuse(c, given.error, given.detail)) : refuse(c, given.error, given.detail);
  return c.json({ access_token: given.token, token_type: "Bearer", expires_in: given.expiresIn, scope: given.permissions.join(" ") });
}

async function answerExchange(c: Context<HonoEnv>, form: string): Promise<Response> {
  const request = parseExchange(form);
  if ("error" in request) return refuse(c, request.error, request.detail);
  if ("ownToken" in request) return answerNarrowing(c, request);
  const needs = needsOf(c);
  const exchanged = await exchangeToken({ ...needs, minting: needs, refusals: refusalsOf(c.env), origin: originOf(c) }, request);
  return reply(c, exchanged);
}

async function answerNarrowing(c: Context<HonoEnv>, { ownToken, narrowing }: NarrowingExchange): Promise<Response> {
  const caller = await setCaller(c, ownToken);
  await limitCaller(c, async () => undefined);
  const { token, expiresIn, permissions } = await narrowToken(needsOf(c), caller, { ...narrowing, label: caller.subject });
  return reply(c, { token, expiresIn, permissions: [...permissions].sort() });
}

function reply(c: Context<HonoEnv>, { token, expiresIn, permissions }: Exchanged): Response {
  return c.json({ access_token: token, issued_token_type: ACCESS_TOKEN_TYPE, token_type: "Bearer", expires_in: expiresIn, scope: permissions.join(" ") });
}

/** Leads to the page that asks. What says where an answer may go is judged first, and never answered there (RFC 6749, section 4.1.2.1). */
function authorize(c: Context<HonoEnv>): Response {
  const asked = parseAuthorization(new URL(c.req.url));
  if ("detail" in asked) throw new Problem("invalid-request", asked.detail);
  return c.redirect(asked.location, 302);
}

async function authorizeDevice(c: Context<HonoEnv>): Promise<Response> {
  const sent = deviceAuthorizationSchema.safeParse(fieldsOf(await c.req.text()));
  if (!sent.success) return refuse(c, "invalid_client", `client_id is ${CLI_CLIENT}.`);
  const tooMany = await refuseTooMany(c);
  if (tooMany) return tooMany;
  const { deviceCode: device_code, userCode: user_code } = await waitForApproval(needsOf(c), originOf(c));
  const verification_uri = `${new URL(c.req.url).origin}/console/device`;
  // In the fragment it is in no log.
  const verification_uri_complete = `${verification_uri}#user_code=${user_code}`;
  const lasts = { expires_in: DEVICE_TIME / 1000, interval: DEVICE_PAUSE / 1000 };
  return c.json({ device_code, user_code, verification_uri, verification_uri_complete, ...lasts });
}

async function refuseError(error: Error, c: Context<HonoEnv>): Promise<Response> {
  if (error instanceof ExchangeError && error.code === "scope-refused")
    return (await refuseTooMany(c)) ?? refuse(c, "invalid_scope", "The trust does not give every permission asked for.", 400, "forbidden");
  if (error instanceof ExchangeError)
    return (await refuseTooMany(c)) ?? refuse(c, "invalid_request", "The subject token is not accepted for this audience.", 400, "unauthenticated");
  if (error instanceof IssuerError) return unavailable(c, "The issuer's keys are not available.");
  if (c.req.path === "/oauth/authorize") return problemReply(c, toProblem(error));
  const problem = await problemOf(error, c);
  if (problem.code === "unauthenticated")
    return (await refuseTooMany(c)) ?? refuse(c, "invalid_request", "The subject token is not accepted.", 400, problem.code);
  if (problem.code === "forbidden") return refuse(c, "invalid_scope", problem.message, 400, problem.code);
  if (problem.code === "quota-exceeded") return refuse(c, "invalid_request", problem.message, 400, problem.code);
  if (problem.code === "storage-unavailable" || problem.code === "write-conflict") return unavailable(c, problem.message);
  if (problem.code === "invalid-request") return refuse(c, "invalid_request", problem.message);
  if (problem.code === "rate-limited") return refuseUntil(c, problem);
  return problemReply(c, problem);
}

/** The problem, which is on record where it has a caller: one whose token is good, and does not hold what is asked for, or is not in force any more. */
async function problemOf(error: Error, c: Context<HonoEnv>): Promise<Problem> {
  const caller = c.get("caller") as HonoEnv["Variables"]["caller"] | undefined;
  if (!caller) return toProblem(error);
  const problem = await problemOfCall(error, () => ({ ...needsOf(c), caller, attempt: { action: "token.create", secretId: null, target: null } }));
  noteRevoked(c, error);
  return problem;
}

/** A refused identity token is a failed authentication: it counts against the address. */
async function refuseTooMany(c: Context<HonoEnv>): Promise<Response | undefined> {
  const tooMany = await countFailure(c);
  return tooMany && refuseUntil(c, tooMany);
}

function refuseUntil(c: Context<HonoEnv>, { headers, message }: Problem): Response {
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  return refuse(c, "temporarily_unavailable", message, 429);
}

/** What the log calls a refusal that has no better name than its status. */
const PROBLEM_OF = {
  400: "invalid-request",
  413: "body-too-large",
  415: "unsupported-media-type",
  429: "rate-limited",
  503: "storage-unavailable",
} as const satisfies Record<number, ProblemCode>;

function refuse(
  c: Context<HonoEnv>,
  error: OAuthError,
  detail: string,
  status: keyof typeof PROBLEM_OF = 400,
  problem: ProblemCode = PROBLEM_OF[status],
): Response {
  c.set("problem", problem);
  return c.json({ error, error_description: detail }, status);
}

function unavailable(c: Context<HonoEnv>, detail: string): Response {
  c.header("Retry-After", "10");
  return refuse(c, "temporarily_unavailable", detail, 503);
}
