import fc from "fast-check";
import { type Api, type Schema, schemaOf } from "./api.ts";
import { CANARY, CANARY_BASE64 } from "./hostile.ts";

/** What is in the store before the run, so that requests find something. */
export interface Known {
  readonly secretIds: readonly string[];
  readonly tokenIds: readonly string[];
}

export const NAMES = ["OPENAI_API_KEY", "A_KEY", "a.key", "B-KEY", "github", "stripe-key", "_", "AWS_SECRET", "PATH"];
export const SCOPES = ["global", "team:a", "namespace:prod", "agent:x", "repo:acme/api", "repo:a/b/c/d/e/f/g/h"];
/** Members that carry a value, or a credential. */
export const VALUES = new Set(["value", "secrets", "subject_token"]);

const value = fc.oneof(
  fc.constantFrom(CANARY, CANARY_BASE64, `${CANARY}\n'"$\`\\`, CANARY.repeat(4097)),
  fc.string({ unit: "binary", maxLength: 20 }).map((rest) => CANARY + rest),
);
const time = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("9999-12-31T00:00:00Z") }).map((date) => date.toISOString());

/** Values that the schema allows. `name` is the member or parameter that holds the value. */
export function validFor(api: Api, known: Known, given: Schema, name = ""): fc.Arbitrary<unknown> {
  const { type, enum: choices } = schemaOf(api, given);
  if (VALUES.has(name) && type === "string" && !choices) return value;
  if (given.$ref?.endsWith("/SecretName") || name === "name")
    return fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...NAMES) }, fromSchema(api, known, given));
  if (given.$ref?.endsWith("/Scope")) return fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...SCOPES) }, fromSchema(api, known, given));
  if (name === "id" || name === "secret_id") return fc.constantFrom(...known.secretIds, ...known.tokenIds, "sec_0", "tok_0");
  return fromSchema(api, known, given, name);
}

function fromSchema(api: Api, known: Known, given: Schema, name = ""): fc.Arbitrary<unknown> {
  const schema = schemaOf(api, given);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const [type, ...others] = [schema.type ?? "string"].flat();
  const main = ofType(api, known, schema, type, name);
  return others.includes("null") ? fc.option(main, { nil: null, freq: 4 }) : main;
}

function ofType(api: Api, known: Known, schema: Schema, type: string | undefined, name: string): fc.Arbitrary<unknown> {
  if (type === "boolean") return fc.boolean();
  if (type === "integer" || type === "number") return fc.integer({ min: schema.minimum ?? 1, max: Math.min(schema.maximum ?? 1000, 2 ** 31) });
  if (type === "array") {
    const { items = {}, minItems = 0, maxItems = 4 } = schema;
    return fc.uniqueArray(validFor(api, known, items), { minLength: minItems, maxLength: Math.max(minItems, Math.min(maxItems, 4)) });
  }
  if (type === "object") return objectOf(api, known, schema, name);
  return textOf(schema);
}

function objectOf(
  api: Api,
  known: Known,
  { properties = {}, required = [], additionalProperties, propertyNames }: Schema,
  name: string,
): fc.Arbitrary<unknown> {
  if (typeof additionalProperties === "object") {
    const key = name === "secrets" ? fc.constantFrom(...NAMES) : propertyNames?.pattern ? textOf(propertyNames) : fc.stringMatching(/^[a-z_]{1,12}$/);
    return fc.dictionary(key, validFor(api, known, additionalProperties, name), { minKeys: 1, maxKeys: 5 });
  }
  const members = Object.fromEntries(Object.entries(properties).map(([key, member]) => [key, validFor(api, known, member, key)]));
  return fc.record(members, { requiredKeys: [...required] });
}

function textOf({ pattern, format, minLength = 0, maxLength = 40 }: Schema): fc.Arbitrary<string> {
  if (format === "date-time") return time;
  if (format === "uri") return fc.constantFrom("https://issuer.example.org", "https://a.example.org/b", "https://a.test/x?y#z", "http://127.0.0.1:1", "urn:x");
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern)).map((text) => text.slice(0, maxLength));
  return fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, 40)) });
}
