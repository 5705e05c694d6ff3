import type { OpenAPIHono } from "@hono/zod-openapi";
import type { HonoEnv } from "./hono-env.ts";

const INFO = {
  title: "Keyhole",
  version: "1",
  license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  description: [
    "A secrets service at the edge. People write values and never read them back; a token with `secrets:resolve` gets the values it needs at run time, and every release is on record.",
    "Errors are RFC 9457 problem details with a stable `code`. Times are RFC 3339 UTC with milliseconds. Every `/v1` reply has `Cache-Control: no-store` and `X-Request-Id`.",
  ].join("\n\n"),
};

const TAGS = [
  { name: "Secrets", description: "What people write, and what they may read of it." },
  { name: "Resolve", description: "How values leave." },
  { name: "System", description: "Health, readiness, public keys, this description." },
];

/** Adds `/openapi.json`, generated from the schemas that validate, and `/docs`, which shows it in a browser. */
export function describeApi(app: OpenAPIHono<HonoEnv>): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "An access token of Keyhole's own, or of an issuer that the deployment trusts.",
  });
  app.get("/openapi.json", (c) => {
    const { origin } = new URL(c.req.url);
    return c.json(app.getOpenAPI31Document({ openapi: "3.1.0", info: INFO, tags: TAGS, servers: [{ url: origin }] }));
  });
}
