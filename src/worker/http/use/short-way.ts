import { Problem } from "../../../contract/problem.ts";
import { type Caller, createCaller } from "../../access/caller.ts";
import { markOfToken, rememberToken, tokenAtHand } from "../../access/known-tokens.ts";
import { type Config, type Env, knownConfig } from "../../config.ts";
import { leasesOf } from "../../leases/leases.ts";
import { hasHopped } from "../../outgoing/hop.ts";
import type { KeptUse } from "../../services/leased-use.ts";
import { type AtHandUseNeeds, attemptedUse, type Use, useAtHand } from "../../services/use-service.ts";
import { newId } from "../../transaction/new-id.ts";
import type { Attempt } from "../../transaction/record-denial.ts";
import { deferAfter } from "../defer-work.ts";
import type { App } from "../leased-app.ts";
import { commonHeaders } from "../middleware/identify-request.ts";
import { takeUseOfAddress } from "../middleware/limit-calls.ts";
import { originIn } from "../origin-of.ts";
import { type AddressedUse, addressOfUse, isOfPage, placeOf, useOf } from "./addressed-use.ts";
import { findToken } from "./find-token.ts";

/** A use that failed after it was counted. */
interface FailedUse {
  readonly config: Config;
  readonly caller: Caller;
  readonly attempt: Attempt;
  readonly error: unknown;
}

const failures = new WeakMap<Request, FailedUse>();

/** How a request has failed on the short way; `undefined` for one that has not been there. */
export function failedUse(request: Request): FailedUse | undefined {
  return failures.get(request);
}

/** Remembers who a token's holder is that has been verified, for uses like the one that it just made. */
export async function rememberCaller(config: Config, token: string, caller: Caller): Promise<void> {
  const { require: _require, refuse: _refuse, requestId: _id, ip: _ip, userAgent: _agent, ...facts } = caller;
  const mark = await markOfToken(token);
  if (mark !== undefined) rememberToken(config, mark, facts);
}

/**
 * Uses services under leases that are at hand: before routing, by a token that was verified before. Whatever is not in order, and whatever
 * fails, is left to the front's app, which verifies, decides, refuses and logs.
 */
export function shortWay(app: App): App {
  return {
    fetch(request, env, context) {
      const config = knownConfig(env);
      const asked = config && askedShortly(config, request);
      return config && asked ? answer(app, request, env, context, config, asked) : app.fetch(request, env, context);
    },
  };
}

/** What a request asks, if it may be asked on the short way. */
function askedShortly(config: Config, { url, headers }: Request): AddressedUse | undefined {
  if (config.leaseSeconds === 0 || headers.has("Upgrade") || isOfPage(headers) || hasHopped(headers) || placeOf(url).isInTheClear) return undefined;
  try {
    const address = addressOfUse(config, url);
    return { ...address, ...findToken(headers, address.query) };
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

async function answer(app: App, request: Request, env: Env, context: ExecutionContext, config: Config, asked: AddressedUse): Promise<Response> {
  const now = new Date();
  const mark = await markOfToken(asked.token);
  const known = mark === undefined ? undefined : tokenAtHand(config, mark, now.getTime());
  if (!known) return app.fetch(request, env, context);
  const caller = createCaller({ ...known.facts, ...originIn(request.headers, newId("req")) });
  const use = useOf(request, asked);
  const given = await useAgain({ env, context, config, now, keys: known.keys }, caller, use).catch((error: unknown) => {
    failures.set(request, { config, caller, attempt: attemptedUse(use), error });
    return undefined;
  });
  if (!given) return app.fetch(request, env, context);
  for (const [name, value] of Object.entries(commonHeaders(caller.requestId, request.url))) given.headers.set(name, value);
  return given;
}

interface Again {
  readonly env: Env;
  readonly context: ExecutionContext;
  readonly config: Config;
  readonly now: Date;
  readonly keys: Map<string, string>;
}

function useAgain({ env, context, config, now, keys }: Again, caller: Caller, use: Use): Promise<Response | undefined> {
  const defer = (work: Promise<unknown>) => deferAfter(context, caller.requestId, work);
  const needs: AtHandUseNeeds = { ...config, db: env.DB, now, defer, leases: leasesOf<KeptUse>(config), clock: Date.now, keys };
  return useAtHand(needs, caller, use, () => takeUseOfAddress(env, caller.ip, now.getTime()));
}
