import * as z from "zod";
import { INTEGRITY_EXAMPLE, integritySchema } from "../../../contract/integrity.ts";
import { checkReadiness } from "../check-readiness.ts";
import { json } from "../docs/responses.ts";
import { configure } from "../middleware/configure.ts";
import { publicRoute } from "../operation.ts";

const tag = "System";

const healthSchema = z.object({ status: z.literal("ok") }).meta({ id: "Health", example: { status: "ok" } });
const findingSchema = z.object({ part: z.enum(["d1", "kv", "keyring", "signing_key", "log_key", "vars", "compatibility_flags"]), detail: z.string() });
const readinessSchema = z
  .object({
    status: z.enum(["ready", "degraded", "not-ready"]),
    unusable: z.array(findingSchema).meta({ description: "What the Worker needs and cannot use." }),
    degraded: z.array(findingSchema).meta({ description: "Old keys that are missing or wrong: what is not under them works." }),
    notices: z.array(findingSchema).meta({ description: "What works, and would be better otherwise." }),
    backlog: z
      .object({
        set_aside: z.int().meta({ description: "Versions on which scheduled work failed; each is tried again later." }),
        legacy_plaintext: z.int().meta({ description: "Values that are not encrypted yet." }),
        audit_logs: z.int().meta({ description: "Audit logs that do not match what was signed, or were signed with a key that is not known." }),
        integrity_failures: z
          .int()
          .meta({ description: "Rows that are not what this deployment wrote: they count for nothing, and calls that need them are refused." }),
      })
      .nullable(),
    integrity: integritySchema.nullable(),
  })
  .meta({
    id: "Readiness",
    example: {
      status: "ready",
      unusable: [],
      degraded: [],
      notices: [],
      backlog: { set_aside: 0, legacy_plaintext: 0, audit_logs: 0, integrity_failures: 0 },
      integrity: INTEGRITY_EXAMPLE,
    },
  });
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
        "D1, KV, the configuration, the runtime's flags, and the keys against what is under them; what it says of keys is up to 15 seconds old. `degraded` is 200: an old key is missing or wrong, and what is not under it works.",
      tag,
      replies: {
        200: json(readinessSchema, "Ready; or `degraded`, which says what keeps some values from being read."),
        503: json(readinessSchema, "Not ready; `unusable` says why."),
      },
    },
    async (c) => {
      const readiness = await checkReadiness(c.env, c.get("now"));
      if (readiness.unusable.length > 0) return c.json({ status: "not-ready", ...readiness }, 503);
      return c.json({ status: readiness.degraded.length > 0 ? "degraded" : "ready", ...readiness });
    },
  ),
  publicRoute(
    {
      method: "get",
      path: "/.well-known/jwks.json",
      id: "jwks",
      summary: "The public keys of Keyhole's tokens",
      description: "A JWK Set, RFC 7517.",
      tag,
      middleware: [configure],
      problems: ["storage-unavailable"],
      replies: { 200: json(jwksSchema, "The keys.") },
    },
    (c) => {
      c.header("Cache-Control", "public, max-age=300");
      return c.json(jwksSchema.parse(c.get("config").signingKeys.jwks));
    },
  ),
  publicRoute(
    {
      method: "get",
      path: "/.well-known/audit-jwks.json",
      id: "auditJwks",
      summary: "The public keys of what is stated about the audit log",
      description:
        "A JWK Set, RFC 7517: what checkpoints and heads are verified with. Not for tokens: whoever verifies a token takes `/.well-known/jwks.json`, where the log's own keys are not.",
      tag,
      middleware: [configure],
      problems: ["storage-unavailable"],
      replies: { 200: json(jwksSchema, "The keys.") },
    },
    (c) => {
      c.header("Cache-Control", "public, max-age=300");
      return c.json(jwksSchema.parse(c.get("config").logKeys.jwks));
    },
  ),
];
