import * as z from "zod";
import { INTEGRITY_EXAMPLE, integritySchema } from "../../../contract/integrity.ts";
import { checkReadiness } from "../check-readiness.ts";
import { json } from "../docs/responses.ts";
import { configure } from "../middleware/configure.ts";
import { publicRoute } from "../operation.ts";

const tag = "System";

const healthSchema = z.object({ status: z.literal("ok") }).meta({ id: "Health", example: { status: "ok" } });
const readinessSchema = z
  .object({
    status: z.enum(["ready", "not-ready"]),
    unusable: z.array(z.object({ part: z.enum(["d1", "kv", "keyring", "signing_key", "vars"]), detail: z.string() })),
    backlog: z
      .object({
        set_aside: z.int().meta({ description: "Versions on which scheduled work failed; each is tried again later." }),
        legacy_plaintext: z.int().meta({ description: "Values that are not encrypted yet." }),
        audit_logs: z.int().meta({ description: "Audit logs that do not match what was signed, or were signed with a key that is not known." }),
      })
      .nullable(),
    integrity: integritySchema.nullable(),
  })
  .meta({
    id: "Readiness",
    example: { status: "ready", unusable: [], backlog: { set_aside: 0, legacy_plaintext: 0, audit_logs: 0 }, integrity: INTEGRITY_EXAMPLE },
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
      tag,
      replies: { 200: json(readinessSchema, "Ready."), 503: json(readinessSchema, "Not ready; `unusable` says why.") },
    },
    async (c) => {
      const readiness = await checkReadiness(c.env, c.get("now"));
      return readiness.unusable.length === 0 ? c.json({ status: "ready", ...readiness }) : c.json({ status: "not-ready", ...readiness }, 503);
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
];
