import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { checkReadiness } from "../check-readiness.ts";
import { json, problemResponses } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import { configure } from "../middleware/configure.ts";

const tags = ["System"];

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
  })
  .meta({ id: "Readiness", example: { status: "ready", unusable: [], backlog: { set_aside: 0, legacy_plaintext: 0, audit_logs: 0 } } });
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

const healthRoute = createRoute({
  method: "get",
  path: "/healthz",
  operationId: "health",
  summary: "Whether the Worker runs",
  tags,
  security: [],
  responses: { 200: json(healthSchema, "It runs.") },
});

const readinessRoute = createRoute({
  method: "get",
  path: "/readyz",
  operationId: "readiness",
  summary: "Whether everything the Worker needs is usable",
  tags,
  security: [],
  responses: { 200: json(readinessSchema, "Ready."), 503: json(readinessSchema, "Not ready; `unusable` says why.") },
});

const jwksRoute = createRoute({
  method: "get",
  path: "/.well-known/jwks.json",
  operationId: "jwks",
  summary: "The public keys of Keyhole's tokens",
  description: "A JWK Set, RFC 7517.",
  tags,
  security: [],
  middleware: configure,
  responses: { 200: json(jwksSchema, "The keys."), ...problemResponses(["storage-unavailable"]) },
});

/** The routes for operators and machines: health, readiness, public keys. */
export function systemRoutes(): OpenAPIHono<HonoEnv> {
  const app = new OpenAPIHono<HonoEnv>();
  app.openapi(healthRoute, (c) => c.json({ status: "ok" as const }, 200));
  app.openapi(readinessRoute, async (c) => {
    const readiness = await checkReadiness(c.env);
    return readiness.unusable.length === 0
      ? c.json({ status: "ready" as const, ...readiness }, 200)
      : c.json({ status: "not-ready" as const, ...readiness }, 503);
  });
  app.openapi(jwksRoute, async (c) => {
    c.header("Cache-Control", "public, max-age=300");
    return c.json(jwksSchema.parse(c.get("config").signingKeys.jwks), 200);
  });
  return app;
}
