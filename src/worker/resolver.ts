import { WorkerEntrypoint } from "cloudflare:workers";
import * as z from "zod";
import { leaseSecondsSchema, patternsSchema } from "../contract/claims.ts";
import { limitShape, limitsOf } from "../contract/limits.ts";
import { orgSchema } from "../contract/org-name.ts";
import { Problem, problemBody } from "../contract/problem.ts";
import { resolveSchema } from "../contract/resolve.ts";
import {
  BINDING_PERMISSIONS,
  type ResolverBinding,
  type RpcResolveOptions,
  type RpcResolveReply,
  type RpcResolveRequest,
  rpcResolveOptionsSchema,
  type ServicesBinding,
} from "../contract/rpc.ts";
import { serviceNameSchema } from "../contract/service.ts";
import { type Caller, createCaller } from "./access/caller.ts";
import { type Config, type Env, loadConfig } from "./config.ts";
import { describeError } from "./describe-error.ts";
import { leaseReply, resolveBody } from "./http/native/resolve-body.ts";
import { needsFrom } from "./http/needs-of.ts";
import { problemOfCall, toProblem } from "./http/to-problem.ts";
import { pathAndQuery } from "./http/use/path-and-query.ts";
import { useRefusal } from "./http/use/use-error.ts";
import { leasesOf } from "./leases/leases.ts";
import { hasHopped } from "./outgoing/hop.ts";
import { answerLeased } from "./secrets/answer-leased.ts";
import { releaseAgain } from "./secrets/kept-values.ts";
import { type Release, releaseSecrets } from "./secrets/release-secrets.ts";
import { compareAnswer, type LeasedAnswer, leaseOfRelease, type OpenLease, resolveLeased } from "./secrets/resolve-leased.ts";
import { resolveSecrets } from "./secrets/resolve-secrets.ts";
import type { RecordedSelection } from "./secrets/selection.ts";
import type { KeptUse } from "./services/leased-use.ts";
import { attemptedUse, useService, WITHOUT_TOKEN } from "./services/use-service.ts";
import { newId } from "./transaction/new-id.ts";

/** The `props` of a service binding: its grant. A list that is left out means no limit, as in a token. */
const propsSchema = z.strictObject({
  org: orgSchema,
  /** Whom the audit log names: `binding:<name>`. */
  name: z.string().min(1).max(128).default("unnamed"),
  /** What it may do; to use services has to be said. */
  permissions: z.array(z.enum(BINDING_PERMISSIONS)).min(1).default(["secrets:resolve"]),
  ...limitShape(() => patternsSchema.optional()),
  /** How old an answer may be where a call does not say so, in seconds. */
  lease_seconds: leaseSecondsSchema.default(0),
});

/**
 * Values for Workers of the same account, by service binding: without HTTP and without a token. Whoever may deploy a
 * Worker with such a binding decides on its grant, as with any secret of that Worker.
 */
export class Resolver extends WorkerEntrypoint<Env> implements ResolverBinding, ServicesBinding {
  /**
   * Resolves as `POST /v1/resolve` does: the same search, the same audit event, the same refusals, and with `maxAge` the
   * same leases. Never throws.
   */
  async resolve(request: RpcResolveRequest = {}, options: RpcResolveOptions = {}): Promise<RpcResolveReply> {
    const requestId = newId("req");
    try {
      return await resolveFor(this.env, this.ctx, callerOf(this.ctx.props, requestId), request, options);
    } catch (error) {
      return refused(toProblem(error), requestId);
    }
  }

  /** Makes a request of a service, as `/use/{service}/…` does. Refusals are replies, too: never throws. */
  async use(service: string, request: Request): Promise<Response> {
    const requestId = newId("req");
    try {
      return await useFor(this.env, this.ctx, callerOf(this.ctx.props, requestId), service, request);
    } catch (error) {
      return refusedUse(toProblem(error), requestId);
    }
  }
}

/** The address under which a service's own addresses come back: a Worker has no other one for it. */
const SERVICE_ADDRESS = "https://service.invalid";

/** What a call by a binding has in the place of an address. */
function callOf({ provider }: Config, defer: (work: Promise<unknown>) => void) {
  return { address: provider?.publicUrl ?? SERVICE_ADDRESS, defer };
}

async function useFor(env: Env, context: ExecutionContext, caller: Caller, service: string, { url, method, headers, body }: Request): Promise<Response> {
  if (headers.has("Upgrade")) throw new Problem("upgrade-required", "A service is used without WebSocket by a binding.");
  if (hasHopped(headers)) throw new Problem("loop-detected", "The request has been through Keyhole already.");
  const config = await loadConfig(env);
  const needs = {
    ...needsFrom(
      env,
      config,
      new Date(),
      callOf(config, (work) => context.waitUntil(work.catch(logFailure))),
    ),
    clock: Date.now,
    leases: leasesOf<KeptUse>(config),
    holdUp: async () => undefined,
  };
  const asked = { ...WITHOUT_TOKEN, service: parse(serviceNameSchema, service), ...pathAndQuery(url), base: SERVICE_ADDRESS, method, headers, body };
  try {
    return await useService(needs, caller, asked);
  } catch (error) {
    return refusedUse(await problemOfCall(error, () => ({ ...needs, caller, attempt: attemptedUse(asked) })), caller.requestId);
  }
}

function refusedUse(problem: Problem, requestId: string): Response {
  const { status, body, headers } = useRefusal(problem, requestId);
  return new Response(body, { status, headers });
}

function refused(problem: Problem, requestId: string): RpcResolveReply {
  return { ok: false, problem: problemBody(problem, requestId) };
}

function callerOf(props: unknown, requestId: string): Caller {
  const parsed = propsSchema.safeParse(props);
  if (!parsed.success)
    throw new Problem(
      "unauthenticated",
      "The service binding has no props that are a grant: {org, name, permissions, secret_scopes, secret_names, services, lease_seconds}.",
    );
  const { org, name, permissions, lease_seconds } = parsed.data;
  return createCaller({
    org,
    subject: `binding:${name}`,
    tokenId: null,
    lineage: null,
    expiresAt: null,
    verifiedUntil: null,
    leaseSeconds: lease_seconds,
    permissions: new Set(permissions),
    ...limitsOf(parsed.data),
    requestId,
    ip: null,
    userAgent: null,
  });
}

async function resolveFor(env: Env, context: ExecutionContext, caller: Caller, given: RpcResolveRequest, options: RpcResolveOptions): Promise<RpcResolveReply> {
  const { maxAge = caller.leaseSeconds } = parse(rpcResolveOptionsSchema, options);
  const { scopes, names, allow_missing, inherit } = parse(resolveSchema, given);
  const request = { scopes, names, allowMissing: allow_missing, inherit, asVariables: false };
  const config = await loadConfig(env);
  const defer = (work: Promise<unknown>) => context.waitUntil(work.catch(logFailure));
  const needs = { ...needsFrom(env, config, new Date(), callOf(config, defer)), clock: Date.now };
  const seconds = Math.min(maxAge, config.leaseSeconds);
  if (seconds === 0) return answer(needs, caller, async () => ({ selection: await resolveSecrets(needs, caller, request), lease: null }));
  const leases = leasesOf<LeasedAnswer<null>>(config);
  const ask = { leases, key: await keyOf(context.props, given), seconds };
  return answerLeased(needs, {
    ...ask,
    maxAge,
    again: async ({ answer: { values, findings }, tally, until }, now) => {
      const release = await releaseAgain(config.keyring, values, findings);
      return release && reply(release, { id: tally.id, until }, now);
    },
    compare: (lease) => compareAnswer(needs, leases, lease),
    lead: () => answer(needs, caller, () => resolveLeased(needs, caller, request, ask)),
  });
}

type Needs = ReturnType<typeof needsFrom>;
type Resolved = { readonly selection: RecordedSelection; readonly lease: OpenLease<null> | null };

/** Resolves, and makes a reply of it, or of the problem by which it is refused: that is on record. */
async function answer(needs: Needs, caller: Caller, resolve: () => Promise<Resolved>): Promise<RpcResolveReply> {
  try {
    const { selection, lease } = await resolve();
    return await releaseSecrets(needs, selection, async (release) => {
      if (release.unavailable.length === 0) await lease?.keep(null, release.secrets);
      return reply(release, leaseOfRelease(lease, release.secrets, needs.now), needs.now.getTime());
    });
  } catch (error) {
    const attempt = { action: "secret.resolve", secretId: null, target: null } as const;
    return refused(await problemOfCall(error, () => ({ ...needs, caller, attempt })), caller.requestId);
  }
}

function reply(release: Release, lease: { id: string; until: number } | null, now: number): RpcResolveReply {
  return { ok: true, ...resolveBody(release), ...(release.unavailable.length === 0 && lease && { lease: leaseReply(lease, now) }) };
}

/** What a lease is found by: all that decides the answer. SHA-256 in base64. */
async function keyOf(props: unknown, request: RpcResolveRequest): Promise<string> {
  const what = ["keyhole/lease/1", "rpc", props, "resolve", request];
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(what)))).toBase64();
}

/** @throws {Problem} `invalid-request`. */
function parse<S extends z.ZodType>(schema: S, given: unknown): z.output<S> {
  const parsed = schema.safeParse(given);
  if (!parsed.success) throw new Problem("invalid-request", z.prettifyError(parsed.error));
  return parsed.data;
}

function logFailure(error: unknown): void {
  console.error(JSON.stringify({ level: "error", event: "lease", error: describeError(error) }));
}
