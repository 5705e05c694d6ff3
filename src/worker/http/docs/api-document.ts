import type { OpenAPIHono } from "@hono/zod-openapi";
import { problemSchema } from "../../../contract/problem.ts";
import type { HonoEnv } from "../hono-env.ts";
import { REQUEST_ID_HEADER, sharedResponses } from "./responses.ts";

/** An OpenAPI 3.1 document. */
export type ApiDocument = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;
export type PathItem = NonNullable<ApiDocument["paths"]>[string];
export type Operation = NonNullable<PathItem["get"]>;
export type Schema = Exclude<NonNullable<NonNullable<ApiDocument["components"]>["schemas"]>[string], { $ref: string }>;
type MediaTypes = Record<string, { schema?: unknown; example?: unknown; examples?: unknown }>;

const INFO = {
  title: "Keyhole",
  version: "1",
  license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  description: [
    "A secrets service at the edge. People write values and never read them back; a token with `secrets:resolve` gets the values it needs at run time, and every release is on record.",
    "A scope in a path is one percent-encoded segment: `repo%3Aacme%2Fapi`. Fields that a body does not have are refused. HEAD works wherever GET does. Bodies have at most 1 MiB, values 1 to 65,536 bytes.",
    "Errors are RFC 9457 problem details with a stable `code`. Times are RFC 3339 UTC with milliseconds. Every `/v1` reply has `Cache-Control: no-store` and `X-Request-Id`.",
  ].join("\n\n"),
};

const TAGS = [
  { name: "Secrets", description: "What people write, and what they may read of it." },
  { name: "Versions", description: "What a secret's values were, and which is current." },
  { name: "Scopes", description: "Where secrets apply, and which scope lies under which." },
  { name: "Resolve", description: "How values leave." },
  { name: "Tokens", description: "What CI, gateways and agents carry." },
  { name: "Trusts", description: "Whose identity tokens are exchanged for Keyhole's, so that nothing is stored." },
  { name: "Audit", description: "Who did what, when; and that nobody has bent the log since." },
  { name: "Keys", description: "The keyring, and how a rotation is coming along." },
  { name: "System", description: "Health, readiness, public keys, this description." },
];

const SECURITY_SCHEME = {
  type: "http" as const,
  scheme: "bearer",
  bearerFormat: "JWT",
  description: "An access token of Keyhole's own, or of an issuer that the deployment trusts. An operation names the permission that the token must carry.",
};

/**
 * The OpenAPI document of an app's routes, generated from the schemas that validate. What is the same for every
 * operation is added here: the request id, the problems any request can meet, and the examples of schemas where readers look for them.
 */
export function buildApiDocument(app: OpenAPIHono<HonoEnv>): ApiDocument {
  const registry = app.openAPIRegistry;
  registry.register("Problem", problemSchema);
  registry.registerComponent("securitySchemes", "token", SECURITY_SCHEME);
  registry.registerComponent("headers", "X-Request-Id", REQUEST_ID_HEADER);
  for (const [name, response] of Object.entries(sharedResponses())) registry.registerComponent("responses", name, response);
  const document = app.getOpenAPI31Document({ openapi: "3.1.0", info: INFO, tags: TAGS, servers: [{ url: "/" }] });
  // Nothing calls back, and nothing is shared as a parameter: empty maps would only be noise.
  const { webhooks: _, ...rest } = document;
  const { parameters: __, ...components } = document.components ?? {};
  for (const { operation } of operationsOf(document)) complete(document, operation);
  return { ...rest, components };
}

/** Every operation of a document, in its order. */
export function operationsOf(document: ApiDocument): { method: string; path: string; operation: Operation }[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method, path, operation: operation as Operation })),
  );
}

/** The schema itself, or the one that it refers to. */
export function resolveSchema(document: ApiDocument, schema: unknown): Schema {
  const { $ref } = (schema ?? {}) as { $ref?: string };
  const name = $ref?.replace("#/components/schemas/", "");
  return ((name === undefined ? schema : document.components?.schemas?.[name]) ?? {}) as Schema;
}

function complete(document: ApiDocument, operation: Operation): void {
  const anywhere = { 500: { $ref: "#/components/responses/internal" }, "4XX": { $ref: "#/components/responses/no-such-route" } };
  operation.responses = { ...anywhere, ...operation.responses };
  for (const response of Object.values(operation.responses) as { $ref?: string; headers?: object; content?: MediaTypes }[]) {
    if (response.$ref) continue;
    response.headers = { ...response.headers, "X-Request-Id": { $ref: "#/components/headers/X-Request-Id" } };
    liftExamples(document, response.content);
  }
  liftExamples(document, (operation.requestBody as { content?: MediaTypes } | undefined)?.content);
  for (const parameter of operation.parameters ?? []) {
    if (!("in" in parameter)) continue;
    if (parameter.in === "header") parameter.name = parameter.name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
    parameter.example ??= resolveSchema(document, parameter.schema).example;
  }
}

function liftExamples(document: ApiDocument, content: MediaTypes = {}): void {
  for (const media of Object.values(content)) {
    const { example } = resolveSchema(document, media.schema);
    if (example !== undefined && media.examples === undefined) media.example ??= example;
  }
}
