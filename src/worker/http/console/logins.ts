import type { Context } from "hono";
import { beginLoginSchema, type GoOn, type OfferedLogins, offeredLoginsSchema } from "../../../contract/console.ts";
import { Problem, storageUnavailable } from "../../../contract/problem.ts";
import { IssuerError } from "../../access/fetch-issuer-document.ts";
import { refusalOf } from "../../access/refusal.ts";
import { ExchangeError } from "../../grants/exchange-error.ts";
import { beginLogin } from "../../logins/begin-login.ts";
import { offeredLogins } from "../../logins/find-login.ts";
import { type FinishNeeds, finishLogin } from "../../logins/finish-login.ts";
import { LoginError } from "../../logins/login-error.ts";
import { type LoginState, openLoginState } from "../../logins/login-state.ts";
import { ownHostsOf } from "../../outgoing/own-hosts.ts";
import { makeLoginCode } from "../../sessions/login-codes.ts";
import { countRefusal, refusalsOf } from "../count-refusal.ts";
import type { HonoEnv } from "../hono-env.ts";
import { countFailure, countTry } from "../middleware/limit-rate.ts";
import { needsOf } from "../needs-of.ts";
import { originOf } from "../origin-of.ts";
import { bodyIn } from "./body-in.ts";
import { callbackOf } from "./callback.ts";
import { CONSOLE } from "./console-page.ts";
import { giveArrival, giveLogin, takeLogin } from "./session-cookie.ts";
import { lastingFacts } from "./session-of.ts";

/** By what one may log in to an organization. Of one that is not there it is nothing, as of one without logins. */
export async function showLogins(c: Context<HonoEnv>): Promise<Response> {
  const query = offeredLoginsSchema.safeParse(c.req.query());
  if (!query.success) throw new Problem("invalid-request", "Name one organization.");
  await countTry(c);
  return c.json({ logins: await offeredLogins(needsOf(c), query.data.organization) } satisfies OfferedLogins);
}

/** Begins a login. Only the console's own page asks for that, when somebody has clicked: nobody is sent to a provider by a link. */
export async function startLogin(c: Context<HonoEnv>): Promise<Response> {
  const { organization: org, login, page } = await bodyIn(c, beginLoginSchema);
  await countTry(c);
  try {
    const begun = await beginLogin(loginNeeds(c), { org, login, page }, (...names) => callbackOf(c.req.url, ...names));
    giveLogin(c, begun.sealed);
    return c.json({ location: begun.location } satisfies GoOn);
  } catch (error) {
    if (error instanceof LoginError && error.refusal === "unknown-login") throw new Problem("login-not-found", "There is no such login.", { cause: error });
    if (error instanceof LoginError || error instanceof IssuerError) throw storageUnavailable("The provider is not available.", error);
    throw error;
  }
}

/** What comes back from a provider. Whatever it is, the browser is sent on to the console: logged in but for a request of its page, or not. */
export async function arrive(c: Context<HonoEnv>): Promise<Response> {
  c.header("Referrer-Policy", "no-referrer");
  c.header("Cache-Control", "no-store");
  const sealed = takeLogin(c);
  // Before anything: what comes next asks the provider, with the client's secret.
  if (await countFailure(c)) return holdUp(c, undefined);
  const begun = await openLoginState(c.get("config").keyring, sealed ?? "", c.get("now"));
  try {
    if (begun?.org !== c.req.param("org") || begun?.login !== c.req.param("login") || !begun) throw new LoginError("login-not-begun");
    const { token } = await finishLogin(loginNeeds(c), begun, new URL(c.req.url).searchParams, callbackOf(c.req.url, begun.org, begun.login));
    giveArrival(c, await makeLoginCode(needsOf(c), originOf(c), await lastingFacts(c, token), { replaces: null, arrived: true }));
    return goTo(c, { arrived: "1", page: begun.page });
  } catch (error) {
    if (error instanceof Problem && error.code === "rate-limited") return holdUp(c, begun);
    if (!(error instanceof LoginError || error instanceof ExchangeError || error instanceof IssuerError)) throw error;
    return refuseLogin(c, error, begun);
  }
}

/** Says that too many log in now. Whoever waits for it looks at a page, and not at a problem's JSON. */
function holdUp(c: Context<HonoEnv>, begun: LoginState | undefined): Response {
  c.set("problem", "rate-limited");
  return goBack(c, "busy", begun);
}

/** Says that somebody is not logged in, and no more; why is on record. */
function refuseLogin(c: Context<HonoEnv>, error: LoginError | ExchangeError | IssuerError, begun: LoginState | undefined): Response {
  // What the rules refuse is on record already, and so is that an issuer could not be asked.
  if (error instanceof LoginError && begun)
    countRefusal(c, { org: begun.org, trust: begun.login, actor: null, tokenId: null, issuer: null, reason: error.refusal, about: null, logged: true });
  c.set("problem", error instanceof IssuerError ? "storage-unavailable" : "unauthenticated");
  const refusal = refusalOf(error);
  if (refusal) c.set("refusal", refusal);
  return goBack(c, error instanceof IssuerError ? "provider" : "login", begun);
}

/** Leads to where one logs in, which says what was wrong. */
function goBack(c: Context<HonoEnv>, refused: "provider" | "login" | "busy", begun: LoginState | undefined): Response {
  return goTo(c, { refused, ...(begun && { organization: begun.org, page: begun.page }) });
}

function goTo(c: Context<HonoEnv>, query: Readonly<Record<string, string>>): Response {
  return c.redirect(`${CONSOLE}/login?${new URLSearchParams(query)}`, 303);
}

function loginNeeds(c: Context<HonoEnv>): FinishNeeds {
  const needs = needsOf(c);
  const { insecureIssuers, useHosts } = needs;
  const ownHosts = ownHostsOf(c.req.url, insecureIssuers, Object.keys(useHosts));
  return { ...needs, ownHosts, minting: needs, refusals: refusalsOf(c.env), origin: originOf(c) };
}
