import { PROBLEMS, Problem, problemBody } from "../../contract/problem.ts";
import { claimedLease } from "../access/claimed-lease.ts";
import { type Config, ConfigError, type Env, knownConfig, loadConfig } from "../config.ts";
import { describeError } from "../describe-error.ts";
import type { Lease } from "../leases/lease.ts";
import { leasesOf } from "../leases/leases.ts";
import { answerLeased } from "../secrets/answer-leased.ts";
import { releaseAgain } from "../secrets/kept-values.ts";
import { compareAnswer, type LeasedAnswer } from "../secrets/resolve-leased.ts";
import { newId } from "../transaction/new-id.ts";
import { bodyText, hasBody, hasShortBody, type LeasableRequest, type LeasingFront, leasable, leaseKey } from "./lease-ask.ts";
import { type KeptForm, type NativeForm, noteLeaseAsk } from "./lease-asks.ts";
import { commonHeaders } from "./middleware/identify-request.ts";
import { findingHeaders, leaseReply, resolveContent, whyUnfit } from "./native/resolve-body.ts";
import { isHeld, parseEntityTags } from "./parse/parse-precondition.ts";
import { isVaultForm, type VaultForm, vaultContent } from "./vault/vault-content.ts";
import { vaultErrors, vaultStatus } from "./vault/vault-problem.ts";

/** The Worker's HTTP side. */
export interface App {
  fetch(request: Request, env: Env, context: ExecutionContext): Response | Promise<Response>;
}

type KeptLease = Lease<LeasedAnswer<KeptForm>>;

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

async function answer(app: App, request: Request, env: Env, context: ExecutionContext, asked: LeasableRequest): Promise<Response> {
  const config = knownConfig(env) ?? (await configOf(env));
  const { token } = asked;
  const maxAge = asked.maxAge ?? (config ? claimedLease(token, config.issuer) : 0);
  if (!config || maxAge === 0 || config.leaseSeconds === 0 || !hasShortBody(request)) return app.fetch(request, env, context);
  const body = hasBody(request) ? await request.arrayBuffer() : null;
  // The app gets a request whose body has not been read.
  const unread = () => (body === null ? request : new Request(request, { body }));
  const text = body === null ? "" : bodyText(body);
  if (text === null) return app.fetch(unread(), env, context);
  const key = await leaseKey(request, asked, text);
  const leases = leasesOf<LeasedAnswer<KeptForm>>(config);
  const ask = { leases, key, seconds: Math.min(maxAge, config.leaseSeconds) };
  const lead = async () => {
    const asking = unread();
    noteLeaseAsk(asking, ask);
    return app.fetch(asking, env, context);
  };
  const { keyring, staleSeconds } = config;
  const needs = { keyring, staleSeconds, db: env.DB, clock: Date.now, defer: (work: Promise<unknown>) => context.waitUntil(work.catch(logFailure)) };
  const again = (lease: KeptLease, now: number) => give(keyring, request, lease, now);
  const compare = (lease: KeptLease) => compareAnswer(needs, leases, lease);
  return answerLeased(needs, { ...ask, maxAge, again, compare, lead }).catch((error: unknown) => refuse(error, asked.front, request.url));
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

/** An answer that is kept, as a response of the front that gave it. */
function give(keyring: Config["keyring"], request: Request, lease: KeptLease, now: number): Promise<Response | undefined> {
  const { form } = lease.answer;
  return isVaultForm(form) ? giveToVault(keyring, request, lease, form, now) : giveNative(keyring, request, lease, form, now);
}

async function giveToVault(keyring: Config["keyring"], request: Request, lease: KeptLease, form: VaultForm, now: number): Promise<Response | undefined> {
  const release = await releaseAgain(keyring, lease.answer.values, lease.answer.findings);
  if (!release) return undefined;
  const requestId = newId("req");
  const headers = { ...commonHeaders(requestId, request.url), "Cache-Control": "no-store", "Content-Type": "application/json", Age: ageOf(lease, now) };
  return new Response((await vaultContent(form, release, requestId)).text, { headers });
}

function ageOf({ openedAt }: KeptLease, now: number): string {
  return String(Math.floor((now - openedAt) / 1000));
}

async function giveNative(keyring: Config["keyring"], request: Request, lease: KeptLease, form: NativeForm, now: number): Promise<Response | undefined> {
  const held = entityTags(request);
  if (held === null) return undefined;
  const { values, findings } = lease.answer;
  const headers: Record<string, string> = {
    ...commonHeaders(newId("req"), request.url),
    "Cache-Control": "no-store",
    ETag: form.etag,
    Age: ageOf(lease, now),
    ...findingHeaders(form, { ...findings, secrets: values.map(({ secret }) => secret) }),
  };
  if (isHeld(held, form.etag)) return new Response(null, { status: 304, headers });
  const release = await releaseAgain(keyring, values, findings);
  // Whoever knows how an entity tag is made may have had an answer kept that has no such form: it is refused strictly.
  if (!release || release.secrets.some((secret) => whyUnfit(form, secret))) return undefined;
  const content = resolveContent(form, release, leaseReply({ id: lease.tally.id, until: lease.until }, now));
  headers["Content-Type"] = content.type;
  return new Response(content.body, { headers });
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

/** What is refused before the app is asked: the app answers all else by itself. */
function refuse(error: unknown, front: LeasingFront, url: string): Response {
  if (!(error instanceof Problem)) throw error;
  const requestId = newId("req");
  if (front === "vault")
    return new Response(JSON.stringify({ errors: vaultErrors(error) }), {
      status: vaultStatus(error),
      headers: { ...commonHeaders(requestId, url), "Cache-Control": "no-store", "Content-Type": "application/json", ...error.headers },
    });
  return new Response(JSON.stringify(problemBody(error, requestId)), {
    status: PROBLEMS[error.code].status,
    headers: { ...commonHeaders(requestId, url), "Cache-Control": "no-store", "Content-Type": "application/problem+json", ...error.headers },
  });
}

function logFailure(error: unknown): void {
  console.error(JSON.stringify({ level: "error", event: "lease", error: describeError(error) }));
}
