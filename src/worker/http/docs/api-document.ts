import type * as z from "zod";
import { problemSchema } from "../../../contract/problem.ts";
import type { ReplySpec, Route } from "../operation.ts";
import type { Body } from "../parse/body.ts";
import type { ApiDocument, MediaObject, OperationObject, ParameterObject, ResponseObject } from "./api-types.ts";
import { type Components, type JsonSchema, jsonSchema } from "./json-schema.ts";
import { problems, REQUEST_ID_HEADER, sharedResponses } from "./responses.ts";

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
  { name: "Services", description: "What agents use without holding the credential." },
  { name: "Audit", description: "Who did what, when; and that nobody has bent the log since." },
  { name: "Quotas", description: "What an organization has, and may have." },
  { name: "Keys", description: "The keyring, and how a rotation is coming along." },
  { name: "Backup", description: "All organizations' rows, sealed as they are, and putting them into an empty deployment." },
  { name: "System", description: "Health, readiness, public keys, this description." },
];

const SECURITY_SCHEME = {
  type: "http" as const,
  scheme: "bearer",
  bearerFormat: "JWT",
  description: "An access token of Keyhole's own, or of an issuer that the deployment trusts. An operation names the permission that the token must carry.",
};

/**
 * The OpenAPI document of routes, generated from the schemas that validate. What is the same for every operation is added
 * here: the request id, the problems any request can meet, and the examples of schemas where readers look for them.
 */
export function buildApiDocument(routes: readonly Route[]): ApiDocument {
  const schemas: Components = new Map();
  jsonSchema(problemSchema, "output", schemas);
  const paths: Record<string, Record<string, OperationObject>> = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: describeRoute(route, schemas) };
  return {
    openapi: "3.1.0",
    info: INFO,
    tags: TAGS,
    servers: [{ url: "/" }],
    components: {
      securitySchemes: { token: SECURITY_SCHEME },
      headers: { "X-Request-Id": REQUEST_ID_HEADER },
      responses: sharedResponses(),
      schemas: Object.fromEntries(schemas),
    },
    paths,
  };
}

/** Every operation of a document, in its order. */
export function operationsOf({ paths }: ApiDocument): { method: string; path: string; operation: OperationObject }[] {
  return Object.entries(paths).flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ method, path, operation })));
}

/** The schema itself, or the one that it refers to. */
export function resolveSchema({ components }: ApiDocument, schema: JsonSchema): JsonSchema {
  return dereference((name) => components.schemas[name], schema);
}

function dereference(named: (name: string) => JsonSchema | undefined, schema: JsonSchema): JsonSchema {
  const name = schema.$ref?.replace("#/components/schemas/", "");
  return name === undefined ? schema : (named(name) ?? {});
}

function describeRoute(route: Route, schemas: Components): OperationObject {
  const parameters = [
    ...((route.headers ?? []) as ParameterObject[]),
    ...parametersIn("path", route.params, schemas),
    ...parametersIn("query", route.query, schemas),
  ];
  return {
    operationId: route.id,
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    tags: [route.tag],
    security: securityOf(route),
    ...(parameters.length > 0 && { parameters }),
    ...(route.body && { requestBody: describeBody(route.body, schemas) }),
    responses: {
      ...ANYWHERE,
      ...Object.fromEntries(Object.entries(route.replies).map(([status, reply]) => [status, describeReply(reply, schemas)])),
      ...problems(route),
    },
  };
}

function securityOf({ permission, tellsMore }: Route): OperationObject["security"] {
  if (permission === null) return tellsMore ? [{}, { token: [tellsMore] }] : [];
  return [{ token: permission === "any" ? [] : [permission] }];
}

const ANYWHERE = { 500: { $ref: "#/components/responses/internal" }, "4XX": { $ref: "#/components/responses/no-such-route" } };

function parametersIn(place: "path" | "query", schema: z.ZodObject | undefined, schemas: Components): ParameterObject[] {
  return Object.entries(schema?.shape ?? {}).map(([name, given]) => {
    const field = given as z.ZodType;
    const described = jsonSchema(field, "input", schemas);
    const { description, example } = { ...dereference((ref) => schemas.get(ref), described), ...described };
    const required = place === "path" || !field.safeParse(undefined).success;
    return { name, in: place, required, ...(description !== undefined && { description }), schema: described, example };
  });
}

function describeBody({ schema, type, others, optional }: Body<unknown>, schemas: Components): NonNullable<OperationObject["requestBody"]> {
  const content = Object.entries({ [type]: schema, ...others }).map(([media, given]) => [media, describeMedia(given, "input", schemas)]);
  return { required: !optional, content: Object.fromEntries(content) };
}

function describeReply({ description, headers, content }: ReplySpec, schemas: Components): ResponseObject {
  const media = Object.entries(content ?? {}).map(([type, { schema, examples }]) => [
    type,
    { ...describeMedia(schema, "output", schemas), ...(examples && { examples, example: undefined }) },
  ]);
  return {
    description,
    headers: { ...headers, "X-Request-Id": { $ref: "#/components/headers/X-Request-Id" } },
    ...(media.length > 0 && { content: Object.fromEntries(media) }),
  };
}

function describeMedia(schema: z.ZodType, io: "input" | "output", schemas: Components): MediaObject {
  const described = jsonSchema(schema, io, schemas);
  const { example } = dereference((ref) => schemas.get(ref), described);
  return { schema: described, ...(example !== undefined && { example }) };
}
