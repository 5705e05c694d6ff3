import { PROBLEMS, Problem, problemBody } from "../../contract/problem.ts";
import { type Config, ConfigError, type Env, loadConfig } from "../config.ts";
import { describeError } from "../describe-error.ts";
import { mayTake } from "../leases/allowance.ts";
import { begin, findLease } from "../leases/find-lease.ts";
import type { Lease } from "../leases/lease.ts";
import { leasesOf } from "../leases/leases.ts";
import { countUse } from "../leases/report-uses.ts";
import { releaseSecrets } from "../secrets/release-secrets.ts";
import { compareAnswer, type LeaseAsk, type LeasedAnswer } from "../secrets/resolve-leased.ts";
import { newId } from "../transaction/new-id.ts";
import { withDeadline } from "../with-deadline.ts";
import type { App } from "./app.ts";
import { bodyText, hasShortBody, type LeasableRequest, leasable, leaseKey } from "./lease-ask.ts";
import { type KeptForm, noteLeaseAsk } from "./lease-asks.ts";
import { commonHeaders } from "./middleware/identify-request.ts";
import { leaseReply, resolveContent } from "./native/resolve-body.ts";
import { isHeld, parseEntityTags } from "./parse/parse-precondition.ts";

/** How long a request waits for another one that asks the same, in milliseconds; then it asks by itself. */
const FOLLOWS = 250;
/** From this part of a lease on that is left, it is renewed while it is used. */
const RENEWED = 0.25;

type KeptLease = Lease<LeasedAnswer<KeptForm>>;

/** A request that may be answered under a lease, with what that needs. */
interface LeasedCall extends LeaseAsk<KeptForm> {
  readonly app: App;
  readonly env: Env;
  readonly context: ExecutionContext;
  readonly config: Config;
  readonly request: Request;
  readonly body: ArrayBuffer | null;
  readonly maxAge: number;
}

/**
 * Gives again what a caller asked to be given again: before routing and validation, from memory. Whatever is not in order
 * is left to the app, which answers strictly: a lease that is not there, has ended, or cannot be vouched for.
 */
export function leasedApp(app: App): App {
  return {
    fetch(request, env, context) {
      const asked = leasable(request);
      return asked === null ? app.fetch(request, env, context) : answer(app, request, env, context, asked);
    },
  };
}

async function answer(app: App, request: Request, env: Env, context: ExecutionContext, { token, maxAge }: LeasableRequest): Promise<Response> {
  const config = await configOf(env);
  if (!config || config.leaseSeconds === 0 || !hasShortBody(request)) return app.fetch(request, env, context);
  const body = request.body === null ? null : await request.arrayBuffer();
  // The app gets a request whose body has not been read.
  const unread = body === null ? request : new Request(request, { body });
  const text = body === null ? "" : bodyText(body);
  if (text === null) return app.fetch(unread, env, context);
  const key = await leaseKey(request, token, text);
  const leases = leasesOf<LeasedAnswer<KeptForm>>(config);
  const seconds = Math.min(maxAge, config.leaseSeconds);
  const call: LeasedCall = { app, env, context, config, request: unread, body, maxAge, leases, key, seconds };
  const given = await give(call);
  if (given) return given;
  // Nothing comes between this look and the lead, so that of many at once one leads.
  const leader = leases.pending.get(key);
  return leader ? ((await follow(call, leader)) ?? lead(call)) : lead(call);
}

async function configOf(env: Env): Promise<Config | undefined> {
  try {
    return await loadConfig(env);
  } catch (error) {
    // The app says so.
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

/** The answer that is kept, if it may be given again. */
async function give(call: LeasedCall): Promise<Response | undefined> {
  const { leases, key, maxAge, config, env, request } = call;
  const needs = needsOf(call);
  const compare = (lease: KeptLease) => compareAnswer({ ...needs, keyring: config.keyring }, leases, lease).catch(unlessRefused);
  const lease = await findLease(leases, needs, { key, maxAge, compare });
  if (!lease) return undefined;
  const now = needs.clock();
  if (!mayTake(leases, lease.holder, now)) return tooMany();
  const held = entityTags(request);
  if (held === null) return undefined;
  const { form, selection } = lease.answer;
  const secrets = isHeld(held, form.etag) ? null : await releaseSecrets({ ...config, kv: env.KV }, selection);
  countUse(leases, needs, lease);
  renew(call, lease, now);
  const headers = { ...commonHeaders(newId("req")), "Cache-Control": "no-store", ETag: form.etag, Age: String(Math.floor((now - lease.openedAt) / 1000)) };
  if (secrets === null) return new Response(null, { status: 304, headers });
  const content = resolveContent(form, selection, secrets, leaseReply({ id: lease.tally.id, until: lease.until }, now));
  return new Response(content.body, { headers: { ...headers, "Content-Type": content.type } });
}

/** What a resolve would be refused by now is no failure of comparing: the answer is not the same. */
function unlessRefused(error: unknown): undefined {
  if (error instanceof Problem && error.code !== "storage-unavailable") return undefined;
  throw error;
}

/** `null` where the header is not one: the app refuses it. */
function entityTags(request: Request): ReturnType<typeof parseEntityTags> | null {
  try {
    return parseEntityTags("If-None-Match", request.headers.get("If-None-Match") ?? undefined);
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}

/** Waits a little for another request that asks the same. */
async function follow(call: LeasedCall, leader: Promise<unknown>): Promise<Response | undefined> {
  await withDeadline(leader, FOLLOWS).catch(() => undefined);
  return give(call);
}

/** Has the app answer, and open a lease. Others who ask the same meanwhile may wait for it, so it goes on when this request is given up. */
function lead({ app, env, context, ...call }: LeasedCall): Promise<Response> {
  noteLeaseAsk(call.request, call);
  const response = Promise.resolve(app.fetch(call.request, env, context));
  const done = response.then(
    () => undefined,
    () => undefined,
  );
  if (!call.leases.pending.has(call.key)) begin(call.leases, { defer: (work) => context.waitUntil(work) }, call.key, done);
  return response;
}

/** While a lease is used it is renewed in the background before it ends: by a resolve like the first. */
function renew(call: LeasedCall, lease: KeptLease, now: number): void {
  const left = lease.until - now;
  if (lease.renewing || left > (lease.until - lease.openedAt) * RENEWED) return;
  lease.renewing = true;
  const { request, body } = call;
  const again = new Request(request.url, { method: request.method, headers: withoutCondition(request.headers), body });
  const renewed = lead({ ...call, request: again }).then((response) => response.body?.cancel());
  needsOf(call).defer(renewed);
}

function withoutCondition(given: Headers): Headers {
  const headers = new Headers(given);
  headers.delete("If-None-Match");
  return headers;
}

function needsOf({ env, config, context }: LeasedCall) {
  return {
    db: env.DB,
    staleSeconds: config.staleSeconds,
    clock: Date.now,
    defer: (work: Promise<unknown>) => context.waitUntil(work.catch(logFailure)),
  };
}

function logFailure(error: unknown): void {
  console.error(JSON.stringify({ level: "error", event: "lease", error: describeError(error) }));
}

function tooMany(): Response {
  const problem = new Problem("rate-limited", "Too many requests from here; wait and try again.", { headers: { "Retry-After": "1" } });
  const requestId = newId("req");
  return new Response(JSON.stringify(problemBody(problem, requestId)), {
    status: PROBLEMS["rate-limited"].status,
    headers: { ...commonHeaders(requestId), "Cache-Control": "no-store", "Content-Type": "application/problem+json", ...problem.headers },
  });
}
