import { type Api, type Schema, schemaOf } from "./api.ts";

const FORMATS: Record<string, RegExp> = {
  "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  binary: /^/,
  uri: /^[a-z][a-z0-9+.-]*:/,
};

/**
 * What is wrong with a value by its schema: nothing when the list is empty. Stricter than JSON Schema in one point: a
 * member that an object's schema does not name is wrong unless `additionalProperties` lets it in.
 */
export function checkSchema(api: Api, given: Schema, value: unknown, at = ""): string[] {
  const schema = schemaOf(api, given);
  if (schema.anyOf) {
    const attempts = schema.anyOf.map((option) => checkSchema(api, option, value, at));
    return attempts.some((wrong) => wrong.length === 0) ? [] : attempts.flat();
  }
  if (schema.type === undefined) return [];
  const types = [schema.type].flat();
  if (!types.some((type) => isOf(type, value))) return [`${at}: not ${types.join(" or ")}`];
  if (value === null) return [];
  const wrong = schema.enum && !schema.enum.includes(value) ? [`${at}: not one of ${schema.enum.join(", ")}`] : [];
  if (typeof value === "string") wrong.push(...checkText(schema, value, at));
  if (typeof value === "number") wrong.push(...outside(value, schema.minimum, schema.maximum, `${at}: the number`));
  if (Array.isArray(value)) wrong.push(...checkList(api, schema, value, at));
  else if (typeof value === "object") wrong.push(...checkMembers(api, schema, value as Record<string, unknown>, at));
  return wrong;
}

function checkText({ pattern, format, minLength, maxLength }: Schema, text: string, at: string): string[] {
  const wrong = outside([...text].length, minLength, maxLength, `${at}: the length`);
  if (pattern !== undefined && !new RegExp(pattern, "u").test(text)) wrong.push(`${at}: does not match ${pattern}`);
  if (format !== undefined && !(FORMATS[format] ?? /$^/).test(text)) wrong.push(`${at}: not a ${format}`);
  return wrong;
}

function checkList(api: Api, { items, minItems, maxItems }: Schema, list: readonly unknown[], at: string): string[] {
  const wrong = outside(list.length, minItems, maxItems, `${at}: the number of items`);
  return [...wrong, ...list.flatMap((item, n) => (items ? checkSchema(api, items, item, `${at}/${n}`) : []))];
}

function checkMembers(
  api: Api,
  { properties = {}, required = [], additionalProperties = false }: Schema,
  members: Record<string, unknown>,
  at: string,
): string[] {
  const missing = required.filter((name) => !Object.hasOwn(members, name)).map((name) => `${at}/${name}: missing`);
  const wrong = Object.entries(members).flatMap(([name, member]) => {
    const known = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (known === undefined || known === false) return [`${at}/${name}: not described`];
    return known === true ? [] : checkSchema(api, known, member, `${at}/${name}`);
  });
  return [...missing, ...wrong];
}

function outside(size: number, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY, what: string): string[] {
  return size < least || size > most ? [`${what} is ${size}, not ${least} to ${most}`] : [];
}

function isOf(type: string, value: unknown): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === type;
}
