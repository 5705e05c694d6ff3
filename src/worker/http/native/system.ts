import type { Context } from "hono";
import * as z from "zod";
import { version } from "../../../../package.json";
import { healthSchema, readinessSchema } from "../../../contract/readiness.ts";
import type { Caller } from "../../access/caller.ts";
import type { Config } from "../../config.ts";
import { identifyCaller } from "../../grants/identify-caller.ts";
import { checkReadiness, hasDatabase, type Readiness, readDetails } from "../check-readiness.ts";
import { json } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import { authenticateIfGiven } from "../middleware/authenticate-if-given.ts";
import { configure } from "../middleware/configure.ts";
import { limitReadiness } from "../middleware/limit-calls.ts";
import { needsOf } from "../needs-of.ts";
import { publicRoute, type Route } from "../operation.ts";

const tag = "System";

const jwksSchema = z
  .object({ keys: z.array(z.object({ kty: z.string(), crv: z.string(), x: z.string(), kid: z.string(), alg: z.string(), use: z.string() })) })
  .meta({
    id: "Jwks",
    example: {
      keys: [
        {
          kty: "OKP",
          crv: "Ed25519",
          x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
          kid: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
          alg: "EdDSA",
          use: "sig",
        },
      ],
    },
  });

/** The routes for operators and machines: health, readiness, public keys. */
export const systemRoutes = [
  publicRoute(
    { method: "get", path: "/healthz", id: "health", summary: "Whether the Worker runs", tag, replies: { 200: json(healthSchema, "It runs.") } },
    (c) => c.json({ status: "ok" }),
  ),
  publicRoute(
    {
      method: "get",
      path: "/readyz",
      id: "readiness",
      summary: "Whether everything the Worker needs is usable",
      description:
        "D1, KV, the configuration, the runtime's flags, and the keys against what is under them; what it says of keys is up to 15 seconds old. Anybody is told whether it is ready and, if not, which part is not usable. With `keys:read` the reply also has why, the version that is deployed, what is degraded (200: an old key is missing or wrong, and what is not under it works), what waits for somebody to look at it, how far each job of the scheduled run is behind, how full D1 is and for how many days there is room, and what was found of the audit logs. A token that is not good is refused. Without a usable configuration or D1 no token can be verified: the reply is then that for anybody, and the log says why.",
      tag,
      tellsMore: "keys:read",
      middleware: [limitReadiness, authenticateIfGiven],
      problems: ["unauthenticated", "rate-limited"],
      replies: {
        200: json(readinessSchema, "Ready; or `degraded`, which says what keeps some values from being read."),
        503: json(readinessSchema, "Not ready; `unusable` names what is not usable."),
      },
    },
    answerReadiness,
  ),
  publicKeys(
    {
      path: "/.well-known/jwks.json",
      id: "jwks",
      summary: "The public keys of Keyhole's tokens",
      description: "A JWK Set, RFC 7517.",
    },
    ({ signingKeys }) => signingKeys.jwks,
  ),
  publicKeys(
    {
      path: "/.well-known/audit-jwks.json",
      id: "auditJwks",
      summary: "The public keys of what is stated about the audit log",
      description:
        "A JWK Set, RFC 7517: what checkpoints and heads are verified with. Not for tokens: whoever verifies a token takes `/.well-known/jwks.json`, where the log's own keys are not.",
    },
    ({ logKeys }) => logKeys.jwks,
  ),
];

async function answerReadiness(c: Context<HonoEnv>): Promise<Response> {
  const readiness = await checkReadiness(c.env, c.get("now"));
  const { unusable, degraded } = readiness;
  // Not everybody is told why, and where nobody can be told this is all that an operator has.
  if (unusable.length > 0) console.error(JSON.stringify({ level: "error", event: "not-ready", unusable }));
  const status = unusable.length > 0 ? 503 : 200;
  if (!(await mayKnow(c, readiness)))
    return c.json({ status: status === 200 ? "ready" : "not-ready", unusable: unusable.map(({ part }) => ({ part })) }, status);
  const details = await readDetails(c.env, c.get("config"), c.get("now"));
  return c.json({ status: status === 503 ? "not-ready" : degraded.length > 0 ? "degraded" : "ready", unusable, version, degraded, ...details }, status);
}

/** Whether there is a caller who may know more. Without D1 it cannot be told whether a token is in force. */
async function mayKnow(c: Context<HonoEnv>, { unusable }: Readiness): Promise<boolean> {
  const caller = c.get("caller") as Caller | undefined;
  if (!caller || !hasDatabase(unusable)) return false;
  await identifyCaller(needsOf(c), caller);
  return caller.permissions.has("keys:read");
}

function publicKeys(declared: Pick<Route, "path" | "id" | "summary"> & { readonly description: string }, keysOf: (config: Config) => unknown): Route {
  return publicRoute(
    { ...declared, method: "get", tag, middleware: [configure], problems: ["storage-unavailable"], replies: { 200: json(jwksSchema, "The keys.") } },
    (c) => {
      c.header("Cache-Control", "public, max-age=300");
      return c.json(jwksSchema.parse(keysOf(c.get("config"))));
    },
  );
}
