import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { HTTPException } from "hono/http-exception";
import type { z } from "zod";
import { orgSchema } from "../../../contract/claims.ts";
import { Problem, type ProblemCode } from "../../../contract/problem.ts";
import {
  ACCESS_TOKEN_TYPE,
  exchangeReplySchema,
  exchangeSchema,
  JWT_TOKEN_TYPE,
  type OAUTH_ERRORS,
  oauthErrorSchema,
  TOKEN_EXCHANGE,
  trustNameSchema,
} from "../../../contract/trust.ts";
import { IssuerError } from "../../access/fetch-issuer-document.ts";
import { type Exchange, ExchangeError, exchangeToken } from "../../grants/exchange-token.ts";
import { json } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import { configure } from "../middleware/configure.ts";
import { limitFailures } from "../middleware/limit-rate.ts";
import { originOf } from "../origin-of.ts";

const MAX_BYTES = 65_536;
const NO_FORM = "Send application/x-www-form-urlencoded.";

/** RFC 8693 takes this one form of a body. The validator would take multipart too, and refuses others with a problem instead of an OAuth error. */
const requireForm = createMiddleware<HonoEnv>(async (c, next) => {
  if (/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(c.req.header("Content-Type") ?? "")) return next();
  return refuse(c, "invalid_request", NO_FORM, 415);
});

const exchangeRoute = createRoute({
  method: "post",
  path: "/oauth/token",
  operationId: "exchangeToken",
  summary: "Exchange an identity token for a Keyhole token",
  description: "RFC 8693 token exchange. Refusals are RFC 6749 errors; they do not say what was wrong with the identity token.",
  tags: ["Trusts"],
  security: [],
  middleware: [requireForm, configure, bodyLimit({ maxSize: MAX_BYTES, onError: (c) => refuse(c, "invalid_request", "The request is too large.", 413) })],
  request: { body: { required: true, content: { "application/x-www-form-urlencoded": { schema: exchangeSchema } } } },
  responses: {
    200: json(exchangeReplySchema, "The token."),
    400: json(oauthErrorSchema, "Refused."),
    413: json(oauthErrorSchema, "The request is too large."),
    415: json(oauthErrorSchema, "The body is not form-encoded."),
    429: {
      ...json(oauthErrorSchema, "Too many refused identity tokens from this address."),
      headers: { "Retry-After": { schema: { type: "integer" as const } } },
    },
    503: { ...json(oauthErrorSchema, "The issuer or the storage is not available."), headers: { "Retry-After": { schema: { type: "integer" as const } } } },
  },
});

type OAuthError = (typeof OAUTH_ERRORS)[number];

/** The route of the token exchange. Its errors are OAuth's and no problem details. */
export function exchangeRoutes(): OpenAPIHono<HonoEnv> {
  const app = new OpenAPIHono<HonoEnv>();
  app.openapi(
    exchangeRoute,
    async (c) => {
      const request = parseExchange(c.req.valid("form"));
      if ("error" in request) return refuse(c, request.error, request.detail);
      const [now, config] = [c.get("now"), c.get("config")];
      const needs = { db: c.env.DB, minting: { ...config, now }, insecureIssuers: config.insecureIssuers, now, origin: originOf(c) };
      const { token, expiresIn, permissions } = await exchangeToken(needs, request);
      return c.json(
        { access_token: token, issued_token_type: ACCESS_TOKEN_TYPE, token_type: "Bearer" as const, expires_in: expiresIn, scope: permissions.join(" ") },
        200,
      );
    },
    (outcome, c) =>
      outcome.success
        ? undefined
        : refuse(c as Context<HonoEnv>, "invalid_request", `Missing or repeated: ${outcome.error.issues.map(({ path }) => path.join(".")).join(", ")}.`),
  );
  app.onError(async (error, c) => {
    if (error instanceof ExchangeError && error.code === "scope-refused")
      return refuse(c, "invalid_scope", "The trust does not give every permission asked for.", 400, "forbidden");
    if (error instanceof ExchangeError)
      return (await isHeldUp(c)) ?? refuse(c, "invalid_request", "The subject token is not accepted for this audience.", 400, "unauthenticated");
    if (error instanceof IssuerError) return unavailable(c, "The issuer's keys are not available.");
    if (error instanceof Problem && error.code === "storage-unavailable") return unavailable(c, error.message);
    if (error instanceof Problem && error.code === "invalid-request") return refuse(c, "invalid_request", error.message);
    // The validator's own: a Content-Type that only begins well, or a form that cannot be read.
    if (error instanceof HTTPException && error.status === 415) return refuse(c, "invalid_request", NO_FORM, 415);
    if (error instanceof HTTPException && error.status === 400) return refuse(c, "invalid_request", "The form could not be parsed.");
    throw error;
  });
  return app;
}

/** A parameter without a value is one that was left out (RFC 6749, section 3.2). */
function parseExchange(sent: z.infer<typeof exchangeSchema>): Exchange | { error: OAuthError; detail: string } {
  const form = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== "")) as Partial<typeof sent>;
  const { grant_type, subject_token, subject_token_type, audience } = form;
  if (!grant_type || !subject_token || !subject_token_type || !audience) return { error: "invalid_request", detail: "A required parameter is empty." };
  if (form.grant_type !== TOKEN_EXCHANGE) return { error: "unsupported_grant_type", detail: `grant_type is ${TOKEN_EXCHANGE}.` };
  if (form.subject_token_type !== JWT_TOKEN_TYPE) return { error: "invalid_request", detail: `subject_token_type is ${JWT_TOKEN_TYPE}.` };
  if (form.requested_token_type !== undefined && form.requested_token_type !== ACCESS_TOKEN_TYPE)
    return { error: "invalid_request", detail: `requested_token_type is ${ACCESS_TOKEN_TYPE}.` };
  const [org, trust, ...rest] = audience.split("/");
  if (!orgSchema.safeParse(org).success || !trustNameSchema.safeParse(trust).success || rest.length > 0)
    return { error: "invalid_request", detail: "audience is <org>/<trust name>." };
  return { subjectToken: subject_token, org: org ?? "", trust: trust ?? "", scope: form.scope };
}

/** A refused identity token is a failed authentication: it counts against the address. */
async function isHeldUp(c: Context<HonoEnv>) {
  try {
    await limitFailures(c);
    return undefined;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    for (const [name, value] of Object.entries(error.headers)) c.header(name, value);
    return refuse(c, "temporarily_unavailable", error.message, 429);
  }
}

/** What the log calls a refusal that has no better name than its status. */
const PROBLEM_OF = {
  400: "invalid-request",
  413: "body-too-large",
  415: "unsupported-media-type",
  429: "rate-limited",
  503: "storage-unavailable",
} as const satisfies Record<number, ProblemCode>;

function refuse(c: Context<HonoEnv>, error: OAuthError, detail: string, status: keyof typeof PROBLEM_OF = 400, problem: ProblemCode = PROBLEM_OF[status]) {
  c.set("problem", problem);
  return c.json({ error, error_description: detail }, status);
}

function unavailable(c: Context<HonoEnv>, detail: string) {
  c.header("Retry-After", "10");
  return refuse(c, "temporarily_unavailable", detail, 503);
}
