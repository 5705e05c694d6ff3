import * as z from "zod";

/** A JSON Schema (draft 2020-12), as far as the API description has it. */
export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  format?: string;
  description?: string;
  example?: unknown;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  [keyword: string]: unknown;
}

/** Schemas by the `id` in their metadata: the components of an API description. */
export type Components = Map<string, JsonSchema>;

const COMPONENTS = "#/components/schemas/";

/**
 * The JSON Schema of a zod schema, as OpenAPI 3.1 takes it. Schemas with an `id` are put into `components`, and are
 * referred to from there.
 *
 * @param io Whether requests (`input`) or replies (`output`) are described.
 */
export function jsonSchema(schema: z.ZodType, io: "input" | "output", components: Components): JsonSchema {
  const {
    $schema: _,
    $defs = {},
    ...root
  } = z.toJSONSchema(schema, { io, unrepresentable: "any", override: keepOpen }) as JsonSchema & {
    $defs?: Record<string, JsonSchema>;
  };
  for (const [id, found] of Object.entries($defs)) addComponent(components, id, simplify(found));
  const { id, ...rest } = simplify(root);
  if (typeof id !== "string") return rest;
  addComponent(components, id, rest);
  return { $ref: `${COMPONENTS}${id}` };
}

/** zod says of an object in a reply that it has no other members. A later version may add some: only strict schemas are closed. */
function keepOpen({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: object }): void {
  const { def } = zodSchema._zod;
  if (def.type === "object" && def.catchall === undefined) delete (jsonSchema as JsonSchema).additionalProperties;
}

function addComponent(components: Components, id: string, { id: _, ...schema }: JsonSchema): void {
  const known = components.get(id);
  if (known && JSON.stringify(known) !== JSON.stringify(schema)) throw new Error(`two schemas have the id ${id}`);
  components.set(id, schema);
}

/** The same schema in the form that people and generators read most easily. */
function simplify(node: JsonSchema): JsonSchema {
  const schema = Object.fromEntries(Object.entries(node).map(([keyword, value]) => [keyword, simplifyKeyword(keyword, value)])) as JsonSchema;
  if (schema.$ref) schema.$ref = schema.$ref.replace("#/$defs/", COMPONENTS);
  // The pattern says again what the format says, in 500 characters.
  if (schema.format === "date-time") delete schema.pattern;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (isOnlyText(schema.propertyNames)) delete schema.propertyNames;
  if ("const" in schema) {
    schema.enum = [schema.const];
    delete schema.const;
  }
  return nullable(schema);
}

function isOnlyText(names: unknown): boolean {
  return JSON.stringify(names) === '{"type":"string"}';
}

function simplifyKeyword(keyword: string, value: unknown): unknown {
  if (keyword === "properties") return Object.fromEntries(Object.entries(value as object).map(([name, member]) => [name, simplify(member as JsonSchema)]));
  if (keyword === "items" || keyword === "additionalProperties" || keyword === "propertyNames") return isSchema(value) ? simplify(value) : value;
  if (keyword === "anyOf" || keyword === "allOf" || keyword === "oneOf") return (value as JsonSchema[]).map(simplify);
  return value;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null;
}

/** `{"anyOf": [{"type": "string"}, {"type": "null"}]}` as `{"type": ["string", "null"]}`. */
function nullable({ anyOf, ...schema }: JsonSchema): JsonSchema {
  const [inner, none, ...more] = anyOf ?? [];
  if (typeof inner?.type === "string" && none?.type === "null" && more.length === 0) return { ...inner, ...schema, type: [inner.type, "null"] };
  return anyOf ? { ...schema, anyOf } : schema;
}
