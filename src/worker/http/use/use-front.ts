import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { Problem } from "../../../contract/problem.ts";
import { serviceNameSchema } from "../../../contract/service.ts";
import { hasHopped } from "../../outgoing/hop.ts";
import { attemptedUse, useService } from "../../services/use-service.ts";
import { noteRevoked } from "../count-refusal.ts";
import { type Front, unlimitedApp } from "../front.ts";
import type { HonoEnv } from "../hono-env.ts";
import { setCaller } from "../middleware/authenticate.ts";
import { configure } from "../middleware/configure.ts";
import { limitUsesOfAddress, takeCaller } from "../middleware/limit-calls.ts";
import { countFailure, countResolve } from "../middleware/limit-rate.ts";
import { needsOf, useNeedsOf } from "../needs-of.ts";
import { isDenial, problemOfCall, toProblem } from "../to-problem.ts";
import type { AddressedUse } from "./addressed-use.ts";
import { type FoundToken, findToken } from "./find-token.ts";
import { originAndHost, pathAndQuery } from "./path-and-query.ts";
import { requireHandshake } from "./require-handshake.ts";
import { useError } from "./use-error.ts";

const PREFIX = "/use/";

/** No page of a browser is sent here, nor anything that one shows: only what a program asks for. */
const refuseBrowsers = createMiddleware<HonoEnv>(async (c, next) => {
  const [mode, destination] = [c.req.header("Sec-Fetch-Mode"), c.req.header("Sec-Fetch-Dest")];
  if (mode === "navigate" || (destination !== undefined && destination !== "empty"))
    throw new Problem("use-not-allowed", "Services are used by programs, and not by pages of a browser.");
  requireHandshake(c.req.method, c.req.raw.headers);
  if (hasHopped(c.req.raw.headers)) throw new Problem("loop-detected", "The request has been through Keyhole already.");
  await next();
});

/**
 * The front of services: any method below `/use/{service}/`, or of a host that is a service by itself; the token wherever clients of APIs
 * have their key, and refusals as they read them.
 */
export function useFront(): Front {
  const app = unlimitedApp();
  app.use(limitUsesOfAddress, configure, refuseBrowsers, authenticateUse);
  // The log names the route: nothing of what comes after it.
  app.all("/use/*", use).all("*", use);
  app.onError(refuse);
  return { takes: (path) => path.startsWith(PREFIX) || path === "/use", app, routes: [] };
}

const authenticateUse = createMiddleware<HonoEnv>(async (c, next) => {
  const address = addressOf(c);
  const { service, path, query } = address;
  const found = findToken(c.req.raw.headers, query);
  c.set("use", { ...address, ...found });
  await setCaller(c, found.token);
  c.set("attempt", attemptedUse({ service, method: c.req.method, path }));
  await next();
});

async function use(c: Context<HonoEnv>): Promise<Response> {
  const holdUp = holdUpOnce(c);
  try {
    return await forward(c, holdUp);
  } catch (error) {
    // A denial is on record, too. What the service was asked for already is told as it is: another answer would have it asked again.
    if (isDenial(toProblem(error))) await holdUp();
    throw error;
  }
}

/** Counts a request against its caller, once, unless it is one that is given again under a lease: that has limits of its own. */
function holdUpOnce(c: Context<HonoEnv>): () => Promise<void> {
  let counted: Promise<void> | undefined;
  const count = async () => {
    takeCaller(c);
    await countResolve(c);
  };
  return () => {
    counted ??= count();
    return counted;
  };
}

function forward(c: Context<HonoEnv>, holdUp: () => Promise<void>): Promise<Response> {
  const { service, path, query, base, tokenIn, parameters, subprotocols } = c.get("use");
  const { method, headers, body } = c.req.raw;
  return useService(useNeedsOf(c, holdUp), c.get("caller"), {
    service,
    path,
    query,
    base,
    method,
    headers,
    body,
    zone: c.req.header("CF-Worker") ?? null,
    tokenIn,
    tokenParameters: parameters,
    socket: subprotocols,
  });
}

/** The address of a request, as it arrived. */
function addressOf(c: Context<HonoEnv>): Omit<AddressedUse, keyof FoundToken> {
  const { usePaths, useHosts } = c.get("config");
  const url = originAndHost(c.req.url);
  const { path: whole, query } = pathAndQuery(c.req.url);
  const ofHost = Object.hasOwn(useHosts, url.hostname) ? useHosts[url.hostname] : undefined;
  if (ofHost !== undefined) return { service: ofHost, path: whole, query, base: url.origin };
  const [, service = "", path = ""] = /^\/use\/([^/]+)(\/.*)?$/s.exec(whole) ?? [];
  if (!usePaths || !serviceNameSchema.safeParse(service).success) throw new Problem("route-not-found", "Services are used at /use/{service}/….");
  return { service, path, query, base: `${url.origin}${PREFIX}${service}` };
}

async function refuse(error: Error, c: Context<HonoEnv>): Promise<Response> {
  const caller = c.get("caller") as HonoEnv["Variables"]["caller"] | undefined;
  // What was refused before there was a caller is on nobody's record.
  const problem = caller ? await problemOfCall(error, () => ({ ...needsOf(c), caller, attempt: c.get("attempt") })) : toProblem(error);
  noteRevoked(c, error);
  const tooMany = problem.code === "unauthenticated" ? await countFailure(c) : undefined;
  return useError(c, tooMany ?? problem);
}
