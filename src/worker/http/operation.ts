import type { Context, MiddlewareHandler } from "hono";
import type * as z from "zod";
import type { Action } from "../../contract/audit.ts";
import type { Permission } from "../../contract/permission.ts";
import type { ProblemCode } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import type { HonoEnv } from "./hono-env.ts";
import { needsOf, type RequestNeeds } from "./needs-of.ts";
import type { Body } from "./parse/body.ts";
import { parseBody, parseParams, parseQuery } from "./parse/parse-request.ts";

/** A reply for the API description: by media type the schema of what it holds, and examples where the schema has none. */
export interface ReplySpec {
  readonly description: string;
  readonly headers?: Readonly<Record<string, object>>;
  readonly content?: Readonly<Record<string, { readonly schema: z.ZodType; readonly examples?: object }>>;
}

/** What every route declares, whoever may call it. */
interface RouteSpec {
  readonly method: "get" | "put" | "post" | "patch" | "delete";
  /** As OpenAPI writes it: `/v1/secrets/{id}`. */
  readonly path: `/${string}`;
  /** Its `operationId`. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  /** `false`: a GET does something that a HEAD must not; it is refused. */
  readonly head?: false;
  /** Run before the request is parsed. */
  readonly middleware?: readonly MiddlewareHandler<HonoEnv>[];
  /** Request headers with a grammar of their own, for the API description. */
  readonly headers?: readonly object[];
  readonly replies: Readonly<Record<number, ReplySpec>>;
}

/** A route as fronts serve and documents describe it. */
export interface Route extends RouteSpec {
  /** What the token must hold; `any` for any token, `null` where none is needed. */
  readonly permission: Permission | "any" | null;
  /** With what permission a caller is told more, on a route that needs no token. */
  readonly tellsMore?: Permission;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: Body<unknown>;
  /** The problems that are this route's own, beside those that follow from the rest. */
  readonly problems: readonly ProblemCode[];
  readonly handle: (c: Context<HonoEnv>) => Response | Promise<Response>;
}

/** A route for callers: everything that is to be said of it, once. */
export interface Operation<P extends z.ZodObject, Q extends z.ZodObject, B> extends RouteSpec {
  readonly permission: Permission | "any";
  /** What it does, for the audit event of a refusal. A route for `any` token is never refused. */
  readonly action?: Action;
  /** Which parameter of the path is the secret's id, or names what else it is done to, for the same event. */
  readonly on?: { readonly secret?: keyof z.output<P> & string; readonly target?: keyof z.output<P> & string };
  readonly params?: P;
  readonly query?: Q;
  readonly body?: Body<B>;
  readonly problems?: readonly ProblemCode[];
}

/** A call of an operation: who makes it, what it says, parsed, and what a verb needs to answer it. */
export interface Call<P extends z.ZodObject, Q extends z.ZodObject, B> {
  readonly c: Context<HonoEnv>;
  readonly caller: Caller;
  readonly needs: RequestNeeds;
  readonly params: z.output<P>;
  readonly query: z.output<Q>;
  readonly body: B;
}

/**
 * Declares a route for callers. Its permission, audit action, parameters, body and problems are said here and nowhere
 * else: security, validation, the event of a refusal and the API description all follow from it.
 */
export function operation<P extends z.ZodObject, Q extends z.ZodObject, B>(
  declared: Operation<P, Q, B>,
  answer: (call: Call<P, Q, B>) => Response | Promise<Response>,
): Route {
  const { action, on = {}, problems = [], ...rest } = declared;
  const { params, query, body } = declared;
  const named = (c: Context<HonoEnv>, parameter: string | undefined) => (parameter === undefined ? null : (c.req.param(parameter) ?? null));
  const handle = async (c: Context<HonoEnv>): Promise<Response> => {
    if (action) c.set("attempt", { action, secretId: named(c, on.secret), target: named(c, on.target) });
    const asked = { query: parseQuery(c, query), params: parseParams(c, params), body: await parseBody(c, body) };
    return answer({ c, caller: c.get("caller"), needs: needsOf(c), ...asked } as Call<P, Q, B>);
  };
  return { ...rest, problems, handle };
}

/** Declares a route that anybody may ask. */
export function publicRoute(declared: RouteSpec & Partial<Pick<Route, "params" | "body" | "problems" | "tellsMore">>, handle: Route["handle"]): Route {
  return { permission: null, problems: [], ...declared, handle };
}
