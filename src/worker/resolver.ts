import { WorkerEntrypoint } from "cloudflare:workers";
import { z } from "zod";
import { orgSchema, patternsSchema } from "../contract/claims.ts";
import { Problem, type ProblemBody, problemBody, storageUnavailable } from "../contract/problem.ts";
import { type ResolveReply, resolveSchema } from "../contract/resolve.ts";
import { type Caller, createCaller } from "./access/caller.ts";
import { ConfigError, type Env, loadConfig } from "./config.ts";
import { resolveBody } from "./http/native/resolve-body.ts";
import { releaseSecrets } from "./secrets/release-secrets.ts";
import { resolveSecrets } from "./secrets/resolve-secrets.ts";
import { newId } from "./transaction/new-id.ts";
import { recordDenial } from "./transaction/record-denial.ts";

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
    const now = new Date();
    try {
      const caller = callerOf(this.ctx.props, requestId);
      return { ok: true, ...(await resolveFor(this.env, caller, now, request)) };
    } catch (error) {
      return { ok: false, problem: problemBody(asProblem(error), requestId) };
    }
  }
}

function callerOf(props: unknown, requestId: string): Caller {
  const parsed = propsSchema.safeParse(props);
  if (!parsed.success) throw new Problem("unauthenticated", "The service binding has no props that are a grant: {org, name, secret_scopes, secret_names}.");
  const { org, name, secret_scopes, secret_names } = parsed.data;
  return createCaller({
    org,
    subject: `binding:${name}`,
    tokenId: null,
    expiresAt: null,
    permissions: new Set(["secrets:resolve"]),
    secretScopes: secret_scopes ?? null,
    secretNames: secret_names ?? null,
    requestId,
    ip: null,
    userAgent: null,
  });
}

async function resolveFor(env: Env, caller: Caller, now: Date, request: RpcResolveRequest): Promise<ResolveReply> {
  const { allowMissing: allow_missing, ...rest } = request;
  const parsed = resolveSchema.safeParse({ ...rest, ...(allow_missing !== undefined && { allow_missing }) });
  if (!parsed.success) throw new Problem("invalid-request", z.prettifyError(parsed.error));
  const { keyring, legacyPlaintext, platformOrg } = await loadConfig(env);
  const needs = { db: env.DB, kv: env.KV, keyring, legacyPlaintext, platformOrg, now };
  const { scopes, names, inherit } = parsed.data;
  try {
    const selection = await resolveSecrets(needs, caller, { scopes, names, allowMissing: parsed.data.allow_missing, inherit, distinctEnvNames: false });
    return resolveBody(selection, await releaseSecrets(needs, selection));
  } catch (error) {
    if (error instanceof Problem && error.code === "forbidden")
      await recordDenial({ db: env.DB, now }, caller, { action: "secret.resolve", secretId: null, target: null }, error.about);
    throw error;
  }
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof ConfigError) return storageUnavailable("The service is not configured; /readyz says what is missing.", error);
  return new Problem("internal", "Something went wrong here.", { cause: error });
}
