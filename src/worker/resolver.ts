import { WorkerEntrypoint } from "cloudflare:workers";
import * as z from "zod";
import { orgSchema, patternsSchema } from "../contract/claims.ts";
import { Problem, type ProblemBody, problemBody } from "../contract/problem.ts";
import { type ResolveReply, resolveSchema } from "../contract/resolve.ts";
import { type Caller, createCaller } from "./access/caller.ts";
import { type Env, loadConfig } from "./config.ts";
import { resolveBody } from "./http/native/resolve-body.ts";
import { needsFrom } from "./http/needs-of.ts";
import { problemOfCall, toProblem } from "./http/to-problem.ts";
import { releaseSecrets } from "./secrets/release-secrets.ts";
import { resolveSecrets } from "./secrets/resolve-secrets.ts";
import { newId } from "./transaction/new-id.ts";

/** The `props` of a service binding: its grant. A list that is left out means no limit, as in a token. */
const propsSchema = z.strictObject({
  org: orgSchema,
  /** Whom the audit log names: `binding:<name>`. */
  name: z.string().min(1).max(128).default("unnamed"),
  secret_scopes: patternsSchema.optional(),
  secret_names: patternsSchema.optional(),
});

/** What a Worker asks for; the fields mean what they mean in `POST /v1/resolve`. */
export interface RpcResolveRequest {
  readonly scopes?: string[];
  readonly names?: string[];
  readonly allowMissing?: boolean;
  readonly inherit?: boolean;
}

/** What it gets: the reply of `POST /v1/resolve`, or the problem that it would reply, as data. */
export type RpcResolveReply = ({ readonly ok: true } & ResolveReply) | { readonly ok: false; readonly problem: ProblemBody };

/**
 * Values for Workers of the same account, by service binding: without HTTP and without a token. Whoever may deploy a
 * Worker with such a binding decides on its grant, as with any secret of that Worker.
 */
export class Resolver extends WorkerEntrypoint<Env> {
  /** Resolves as `POST /v1/resolve` does: the same search, the same audit event, the same refusals. Never throws. */
  async resolve(request: RpcResolveRequest = {}): Promise<RpcResolveReply> {
    const requestId = newId("req");
    try {
      return await resolveFor(this.env, callerOf(this.ctx.props, requestId), new Date(), request);
    } catch (error) {
      return refused(toProblem(error), requestId);
    }
  }
}

function refused(problem: Problem, requestId: string): RpcResolveReply {
  return { ok: false, problem: problemBody(problem, requestId) };
}

function callerOf(props: unknown, requestId: string): Caller {
  const parsed = propsSchema.safeParse(props);
  if (!parsed.success) throw new Problem("unauthenticated", "The service binding has no props that are a grant: {org, name, secret_scopes, secret_names}.");
  const { org, name, secret_scopes, secret_names } = parsed.data;
  return createCaller({
    org,
    subject: `binding:${name}`,
    tokenId: null,
    lineage: null,
    expiresAt: null,
    verifiedUntil: null,
    permissions: new Set(["secrets:resolve"]),
    secretScopes: secret_scopes ?? null,
    secretNames: secret_names ?? null,
    requestId,
    ip: null,
    userAgent: null,
  });
}

async function resolveFor(env: Env, caller: Caller, now: Date, request: RpcResolveRequest): Promise<RpcResolveReply> {
  const { allowMissing: allow_missing, ...rest } = request;
  const parsed = resolveSchema.safeParse({ ...rest, ...(allow_missing !== undefined && { allow_missing }) });
  if (!parsed.success) throw new Problem("invalid-request", z.prettifyError(parsed.error));
  const needs = needsFrom(env, await loadConfig(env), now);
  const { scopes, names, inherit } = parsed.data;
  try {
    const selection = await resolveSecrets(needs, caller, { scopes, names, allowMissing: parsed.data.allow_missing, inherit, distinctEnvNames: false });
    return { ok: true, ...resolveBody(selection, await releaseSecrets(needs, selection)) };
  } catch (error) {
    const attempt = { action: "secret.resolve", secretId: null, target: null } as const;
    return refused(await problemOfCall(error, () => ({ ...needs, caller, attempt })), caller.requestId);
  }
}
