import type * as z from "zod";
import type { ReplySpec, Route } from "../operation.ts";
import type { Body } from "../parse/body.ts";
import type { ApiDocument, MediaObject, OperationObject, ParameterObject, ResponseObject } from "./api-types.ts";
import { type Components, type JsonSchema, jsonSchema } from "./json-schema.ts";
import { REQUEST_ID_HEADER } from "./responses.ts";

/** What is said of an API as a whole, and how its errors look. */
export interface ApiAbout {
  readonly info: { readonly title: string; readonly version: string; readonly license: object; readonly description: string };
  readonly tags: ApiDocument["tags"];
  readonly securityScheme: object;
  /** The schema of errors. */
  readonly errorSchema: z.ZodType;
  /** The error replies of a route, by status. */
  readonly problems: (route: Route) => Record<string, ResponseObject>;
  /** The components that these refer to; `no-such-route` and `internal` are among them. */
  readonly sharedResponses: () => Record<string, ResponseObject>;
}

/**
 * The OpenAPI document of routes, generated from the schemas that validate. What is the same for every operation is added
 * here: the request id, the problems any request can meet, and the examples of schemas where readers look for them.
 */
export function buildApiDocument(about: ApiAbout, routes: readonly Route[]): ApiDocument {
  const schemas: Components = new Map();
  jsonSchema(about.errorSchema, "output", schemas);
  const paths: Record<string, Record<string, OperationObject>> = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: describeRoute(about, route, schemas) };
  return {
    openapi: "3.1.0",
    info: about.info,
    tags: about.tags,
    servers: [{ url: "/" }],
    components: {
      securitySchemes: { token: about.securityScheme },
      headers: { "X-Request-Id": REQUEST_ID_HEADER },
      responses: about.sharedResponses(),
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

function describeRoute(about: ApiAbout, route: Route, schemas: Components): OperationObject {
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
      ...about.problems(route),
      ...Object.fromEntries(Object.entries(route.replies).map(([status, reply]) => [status, describeReply(reply, schemas)])),
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
