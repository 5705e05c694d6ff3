import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { getPath } from "hono/utils/url";
import { beginSessionSchema, makeCodeSchema, type SessionBody, type SessionToConfirm } from "../../../contract/console.ts";
import { isLoopback } from "../../../contract/hosts.ts";
import { Problem } from "../../../contract/problem.ts";
import { formatTime } from "../../../contract/time.ts";
import { createCaller } from "../../access/caller.ts";
import { type TokenFacts, unauthenticated } from "../../access/verify-token.ts";
import { hasHopped } from "../../outgoing/hop.ts";
import { type BegunSession, beginSession } from "../../sessions/begin-session.ts";
import { endSession } from "../../sessions/end-session.ts";
import { makeLoginCode, useLoginCode } from "../../sessions/login-codes.ts";
import type { Session, SessionFacts } from "../../sessions/sealed-facts.ts";
import { readForCaller } from "../../transaction/run-for-caller.ts";
import { noteRevoked } from "../count-refusal.ts";
import { type Front, frontApp, refuseHead } from "../front.ts";
import type { HonoEnv } from "../hono-env.ts";
import { configure } from "../middleware/configure.ts";
import { limitBody } from "../middleware/limit-body.ts";
import { countFailure } from "../middleware/limit-rate.ts";
import { needsOf } from "../needs-of.ts";
import { originOf } from "../origin-of.ts";
import { problemReply } from "../problem-reply.ts";
import { noteSession } from "../session-requests.ts";
import { toProblem } from "../to-problem.ts";
import { bodyIn } from "./body-in.ts";
import { CALLBACK } from "./callback.ts";
import { CONSOLE, consolePage } from "./console-page.ts";
import { arrive, showLogins, startLogin } from "./logins.ts";
import { authorizeProgram, decideDevice } from "./programs.ts";
import { giveSession, takeArrival } from "./session-cookie.ts";
import { lastingFacts, openSessionOf, requireSession, requireShownSession } from "./session-of.ts";

const API = `${CONSOLE}/api`;

/** Only the console's own page asks: a foreign one can neither add the header nor say that it is of the same origin (https://www.w3.org/TR/fetch-metadata/). */
const refuseStrangers = createMiddleware<HonoEnv>(async (c, next) => {
  if (c.req.header("Keyhole-Console") !== "1" || c.req.header("Sec-Fetch-Site") !== "same-origin")
    throw new Problem("forbidden", "Only the console's own page is answered here; programs ask at /v1, with a token.");
  if (hasHopped(c.req.raw.headers)) throw new Problem("loop-detected", "The request has been through Keyhole already.");
  await next();
});

/**
 * The front of the console: its page, the sessions of who is logged in there, and below `/console/api` the verbs of the native front, for
 * a session in the place of a token. Its cookie is read here and nowhere else.
 *
 * @param native The front that answers the verbs.
 */
export function consoleFront(native: Front): Front {
  const app = frontApp();
  app.get("/", welcome);
  app.use(`${API}/*`, refuseStrangers, configure, limitBody);
  app.get(`${API}/session`, showSession).post(begin).delete(end);
  app.post(`${API}/codes`, makeCode);
  app.get(`${API}/logins`, showLogins).post(startLogin);
  app.post(`${API}/authorizations`, authorizeProgram).post(`${API}/devices`, decideDevice);
  app.all(`${API}/*`, (c) => ask(c, native));
  app.get(`${CALLBACK}/:org/:login`, refuseHead, configure, arrive);
  app.get(CONSOLE, consolePage).get(`${CONSOLE}/*`, consolePage);
  app.all("*", () => {
    throw new Problem("method-not-allowed", "This route takes GET.", { headers: { Allow: "GET, HEAD" } });
  });
  app.onError(refuse);
  return { takes: (path) => path === "/" || path === CONSOLE || path.startsWith(`${CONSOLE}/`), app, routes: [] };
}

/** A person is led to the console, and a program is told what is here. */
function welcome(c: Context<HonoEnv>): Response {
  if (/\btext\/html\b/.test(c.req.header("Accept") ?? "")) return c.redirect(CONSOLE, 302);
  return c.json({ name: "Keyhole", console: CONSOLE, documentation: "/docs", openapi: "/openapi.json", health: "/healthz" });
}

async function showSession(c: Context<HonoEnv>): Promise<Response> {
  const session = await requireSession(c);
  c.set("caller", createCaller({ ...session.facts, ...originOf(c) }));
  // A session whose token is revoked has ended, whatever its row says.
  await readForCaller(needsOf(c), c.get("caller"), []);
  return c.json(bodyOf(session));
}

async function begin(c: Context<HonoEnv>): Promise<Response> {
  const body = await bodyIn(c, beginSessionSchema);
  const open = await openSessionOf(c);
  if ("confirm" in body) {
    const { facts, replaces } = await useLoginCode(needsOf(c), body.confirm);
    // Shown to this session, and to no other one.
    if (replaces === null || replaces !== open?.hash) throw unauthenticated("no-token");
    return begun(c, await beginSession(needsOf(c), originOf(c), facts, open.hash));
  }
  const facts = "token" in body ? await lastingFacts(c, body.token) : await factsOfCode(c, "arrived" in body ? takeArrival(c) : body.code, "arrived" in body);
  if (open && !isSame(open.facts, facts)) {
    const { org: organization, subject, permissions } = facts;
    const confirm = await makeLoginCode(needsOf(c), originOf(c), facts, { replaces: open.hash, arrived: false });
    return c.json({ confirm, organization, subject, permissions: [...permissions] } satisfies SessionToConfirm);
  }
  return begun(c, await beginSession(needsOf(c), originOf(c), facts, open?.hash ?? null));
}

async function factsOfCode(c: Context<HonoEnv>, code: string | undefined, hasArrived: boolean): Promise<SessionFacts> {
  if (code === undefined) throw unauthenticated("no-token");
  const { facts, replaces, arrived } = await useLoginCode(needsOf(c), code);
  if (replaces !== null || arrived !== hasArrived) throw unauthenticated("no-token");
  return facts;
}

function isSame(one: TokenFacts, other: TokenFacts): boolean {
  return one.org === other.org && one.lineage?.reference === other.lineage?.reference;
}

function begun(c: Context<HonoEnv>, { session, secret }: BegunSession): Response {
  giveSession(c, secret, (session.expiresAt - c.get("now").getTime()) / 1000);
  return c.json(bodyOf(session), 201);
}

async function end(c: Context<HonoEnv>): Promise<Response> {
  const session = await openSessionOf(c);
  if (session) await endSession(needsOf(c), createCaller({ ...session.facts, ...originOf(c) }), session.hash);
  giveSession(c, "", 0);
  return c.body(null, 204);
}

/** A code for the link that `npm start` prints. Nobody else needs one: who has a token can paste it. */
async function makeCode(c: Context<HonoEnv>): Promise<Response> {
  const { hostname, protocol } = new URL(c.req.url);
  if (protocol !== "http:" || !isLoopback(hostname)) throw new Problem("route-not-found", "Codes are made on this machine only.");
  const { token } = await bodyIn(c, makeCodeSchema);
  return c.json({ code: await makeLoginCode(needsOf(c), originOf(c), await lastingFacts(c, token), { replaces: null, arrived: false }) }, 201);
}

/**
 * Refuses what the console does not hand on. What is judged is the path by which the native front finds its route, in the request that it
 * gets: the one that came may have been written in another way.
 *
 * @throws {Problem} `route-not-found`
 */
function requireRoute(request: Request): void {
  const path = getPath(request);
  // No value is shown to a browser, whatever its token may.
  if (path === "/v1/resolve" || path.startsWith("/v1/resolve/"))
    throw new Problem("route-not-found", "The console gives no values; programs resolve them at /v1/resolve, with a token.");
  if (path.startsWith("/v1/") || path === "/readyz") return;
  throw new Problem("route-not-found", "The console has no such route.");
}

/**
 * Has the native front answer, for the session in the place of a token.
 *
 * @throws {Problem} `route-not-found`; `unauthenticated`, also where the page shows another organization than the browser's session is in
 * by now.
 */
async function ask(c: Context<HonoEnv>, native: Front): Promise<Response> {
  const request = new Request(c.req.url.replace(API, ""), c.req.raw);
  requireRoute(request);
  const { facts } = await requireShownSession(c);
  for (const name of ["Authorization", "Cookie"]) request.headers.delete(name);
  noteSession(request, facts);
  const reply = await native.app.fetch(request, c.env, c.executionCtx);
  // One request has one id.
  c.set("requestId", reply.headers.get("X-Request-Id") ?? c.get("requestId"));
  return reply;
}

function bodyOf({ facts, expiresAt, idleUntil }: Session): SessionBody {
  const { org, subject, permissions, secretScopes, secretNames, services } = facts;
  return {
    organization: org,
    subject,
    permissions: [...permissions],
    secret_scopes: secretScopes,
    secret_names: secretNames,
    services,
    expires_at: formatTime(expiresAt),
    idle_expires_at: formatTime(idleUntil),
  };
}

async function refuse(error: Error, c: Context<HonoEnv>): Promise<Response> {
  const problem = toProblem(error);
  if (c.get("caller") as unknown) noteRevoked(c, error);
  // A browser without a session asks whether it has one: that is no failure.
  const hasFailed = problem.code === "unauthenticated" && c.req.method === "POST";
  const tooMany = hasFailed ? await countFailure(c) : undefined;
  return problemReply(c, tooMany ?? problem);
}
