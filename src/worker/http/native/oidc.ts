import type { Context } from "hono";
import * as z from "zod";
import { orgSchema } from "../../../contract/org-name.ts";
import { Problem } from "../../../contract/problem.ts";
import { type Provider, storeIssuer } from "../../access/store-issuer.ts";
import { json } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import { configure } from "../middleware/configure.ts";
import { publicRoute, type Route } from "../operation.ts";
import { parseParams } from "../parse/parse-request.ts";

const tag = "Stores";
const params = z.object({ org: orgSchema });

const configurationSchema = z
  .object({
    issuer: z.string(),
    jwks_uri: z.string(),
    subject_types_supported: z.array(z.string()),
    response_types_supported: z.array(z.string()),
    claims_supported: z.array(z.string()),
    id_token_signing_alg_values_supported: z.array(z.string()),
    scopes_supported: z.array(z.string()),
  })
  .meta({
    id: "OpenIdConfiguration",
    example: {
      issuer: "https://keyhole.example.com/oidc/acme",
      jwks_uri: "https://keyhole.example.com/oidc/acme/jwks.json",
      subject_types_supported: ["public"],
      response_types_supported: ["id_token"],
      claims_supported: ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"],
      id_token_signing_alg_values_supported: ["RS256"],
      scopes_supported: ["openid"],
    },
  });
const rsaJwksSchema = z
  .object({
    keys: z.array(z.object({ kty: z.string(), n: z.string(), e: z.string(), kid: z.string(), alg: z.string(), use: z.string() })),
  })
  .meta({
    id: "RsaJwks",
    example: { keys: [{ kty: "RSA", n: "sXch…", e: "AQAB", kid: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", alg: "RS256", use: "sig" }] },
  });

/** The routes by which clouds and Vaults verify the identity tokens that stores are asked with. They are the same for every organization's name. */
export const oidcRoutes = [
  providerRoute(
    {
      path: "/oidc/{org}/.well-known/openid-configuration",
      id: "openidConfiguration",
      summary: "Keyhole as an OpenID provider, for an organization's stores",
      description: "OpenID Connect Discovery 1.0, section 4. There where the deployment has `OIDC_KEY` and `PUBLIC_URL`; no token is needed.",
      replies: { 200: json(configurationSchema, "The configuration.") },
    },
    ({ publicUrl }, org) => {
      const issuer = storeIssuer(publicUrl, org);
      return {
        issuer,
        jwks_uri: `${issuer}/jwks.json`,
        subject_types_supported: ["public"],
        response_types_supported: ["id_token"],
        claims_supported: ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"],
        id_token_signing_alg_values_supported: ["RS256"],
        scopes_supported: ["openid"],
      };
    },
  ),
  providerRoute(
    {
      path: "/oidc/{org}/jwks.json",
      id: "oidcJwks",
      summary: "The public keys of the identity tokens that stores are asked with",
      description: "A JWK Set, RFC 7517. Not for access tokens: those are verified by `/.well-known/jwks.json`.",
      replies: { 200: json(rsaJwksSchema, "The keys.") },
    },
    ({ keys }) => rsaJwksSchema.parse(keys.jwks),
  ),
];

type Declared = Pick<Route, "path" | "id" | "summary" | "replies"> & { readonly description: string };

function providerRoute(declared: Declared, answer: (provider: Provider, org: string) => object): Route {
  const handle = (c: Context<HonoEnv>) => {
    const { org } = parseParams(c, params) as z.output<typeof params>;
    const { provider } = c.get("config");
    if (!provider) throw new Problem("route-not-found", "This deployment is no OpenID provider: it has no OIDC_KEY, or no PUBLIC_URL.");
    c.header("Cache-Control", "public, max-age=300");
    return c.json(answer(provider, org));
  };
  return publicRoute(
    { ...declared, method: "get", tag, params, middleware: [configure], problems: ["invalid-request", "route-not-found", "storage-unavailable"] },
    handle,
  );
}
