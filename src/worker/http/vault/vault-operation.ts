import type { Context, MiddlewareHandler } from "hono";
import * as z from "zod";
import type { Action } from "../../../contract/audit.ts";
import type { Permission } from "../../../contract/permission.ts";
import { invalid } from "../../../contract/problem.ts";
import type { Caller } from "../../access/caller.ts";
import type { HonoEnv } from "../hono-env.ts";
import { configure } from "../middleware/configure.ts";
import { limitBody } from "../middleware/limit-body.ts";
import { limitCaller } from "../middleware/limit-calls.ts";
import { noteWrites } from "../middleware/note-writes.ts";
import { needsOf, type RequestNeeds } from "../needs-of.ts";
import type { Route } from "../operation.ts";
import { jsonBody, optionalJsonBody } from "../parse/body.ts";
import { invalidRequest } from "../parse/invalid-request.ts";
import { authenticateVault } from "./authenticate-vault.ts";
import { isNamespace } from "./is-namespace.ts";
import { readVaultBody } from "./vault-body.ts";
import { type VaultPath, vaultPath } from "./vault-path.ts";

/** A route of Vault's wire for callers: what is to be said of it, once. */
interface VaultOperation<Q extends z.ZodObject, B extends z.ZodType>
  extends Pick<Route, "method" | "path" | "id" | "summary" | "description" | "head" | "tag" | "replies" | "problems"> {
  readonly permission: Permission | "any";
  /** What it does, for the audit event of a refusal. */
  readonly action: Action;
  /** What stands for the segments that name what it is about. */
  readonly params?: z.ZodObject;
  readonly query?: Q;
  readonly body?: B;
  /** Whether numbers in the body are parsed as the texts that they were written as. */
  readonly numbersAsText?: true;
  /** Whether it changes something. */
  readonly writes?: true;
  readonly middleware?: readonly MiddlewareHandler<HonoEnv>[];
}

/** A call of it: who makes it, what it says, parsed, and what a verb needs to answer it. */
export interface VaultCall<Q extends z.ZodObject, B extends z.ZodType> {
  readonly c: Context<HonoEnv>;
  readonly caller: Caller;
  readonly needs: RequestNeeds;
  readonly path: VaultPath;
  readonly query: z.output<Q>;
  readonly body: z.output<B>;
  /** The body as JSON in which each number stands as it was written. */
  readonly exact: unknown;
}

/**
 * Declares a route of Vault's wire for callers. Its permission, audit action, parameters, body and problems are said here;
 * who may call it and in which namespace, the event of a refusal and the API description follow from it.
 */
export function vaultOperation<Q extends z.ZodObject, B extends z.ZodType>(
  { action, body, numbersAsText, writes, middleware = [], ...declared }: VaultOperation<Q, B>,
  answer: (call: VaultCall<Q, B>) => Response | Promise<Response>,
): Route {
  const handle = async (c: Context<HonoEnv>): Promise<Response> => {
    c.set("attempt", { action, secretId: null, target: null });
    const path = vaultPath(c.req.raw.url);
    const caller = c.get("caller");
    requireNamespace(c, caller, path, declared.permission);
    const query = parseVaultQuery(c, declared.query);
    const { parsed, exact } = body ? await readVaultBody(c, body, numbersAsText) : { parsed: undefined, exact: undefined };
    return answer({ c, caller, needs: needsOf(c), path, query, body: parsed, exact } as VaultCall<Q, B>);
  };
  const before = [configure, authenticateVault, limitCaller, ...(writes ? [noteWrites] : []), limitBody, ...middleware];
  return { ...declared, middleware: before, ...(body && { body: describedBody(body) }), handle };
}

/** A body that may be empty is one that may be left out. */
function describedBody(body: z.ZodType) {
  return body.safeParse({}).success ? optionalJsonBody(body) : jsonBody(body);
}

/** A namespace, and what stands before the mount, is the organization of the caller, or nothing. */
function requireNamespace(c: Context<HonoEnv>, caller: Caller, path: VaultPath, permission: Permission | "any"): void {
  if (isNamespace(c, caller.org, path)) return;
  throw caller.refuse(permission === "any" ? "secrets:read" : permission, "the token is of another namespace: a namespace is an organization");
}

/** The parameters that a route knows; others say nothing, as in Vault. */
function parseVaultQuery<Q extends z.ZodObject>(c: Context<HonoEnv>, schema: Q | undefined): z.output<Q> | undefined {
  if (!schema) return undefined;
  const given = Object.entries(c.req.queries()).map(([name, values]) => [name, values.length === 1 ? values[0] : values]);
  const { data, error } = schema.safeParse(Object.fromEntries(given));
  if (error) throw invalidRequest(error.issues, "query");
  return data;
}

/** The segments of a path that name what a call is about, for the API description. */
export function pathParameter(description: string, example: string) {
  return z.object({ path: z.string().meta({ description, example }) });
}

/** Refuses what would have to be wrapped: it is never given as it is instead. */
export const refuseWrapping: MiddlewareHandler<HonoEnv> = async (c, next) => {
  if ((c.req.header("X-Vault-Wrap-TTL") ?? "") !== "") throw invalid("header:X-Vault-Wrap-TTL", "response wrapping is not supported");
  await next();
};
