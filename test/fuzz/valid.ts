import fc from "fast-check";
import { type Api, isVaultApi, type Schema, schemaOf } from "./api.ts";
import { CANARY, CANARY_BASE64 } from "./hostile.ts";

/** What is in the store before the run, so that requests find something. */
export interface Known {
  readonly secretIds: readonly string[];
  readonly tokenIds: readonly string[];
}

export const NAMES = ["OPENAI_API_KEY", "A_KEY", "a.key", "B-KEY", "github", "stripe-key", "_", "AWS_SECRET", "PATH"];
export const SCOPES = ["global", "team:a", "namespace:prod", "agent:x", "repo:acme/api", "repo:a/b/c/d/e/f/g/h"];
/** A secret that is deleted, alone in its scope. */
export const DELETED = { scope: "repo:acme/gone", name: "GONE" };
/** Members that carry a value, or a credential. */
export const VALUES = new Set(["value", "secrets", "subject_token", "data", "jwt", "secret_id", "token"]);
/** Keys of an object, those of one secret and one that is no name among them. */
const KEYS = [...NAMES, "value", "key", ".dockerconfigjson"];

const value = fc.oneof(
  fc.constantFrom(CANARY, CANARY_BASE64, `${CANARY}\n'"$\`\\`, CANARY.repeat(4097)),
  fc.string({ unit: "binary", maxLength: 20 }).map((rest) => CANARY + rest),
);
/** What is kept as JSON, too. */
const json = fc.oneof(
  { weight: 3, arbitrary: value },
  fc.constantFrom<unknown>({ a: CANARY }, [CANARY, null], 1.5, true, null, "", {}),
  fc.jsonValue({ maxDepth: 2 }),
);
const time = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("9999-12-31T00:00:00Z") }).map((date) => date.toISOString());

/** Values that the schema allows. `name` is the member or parameter that holds the value. */
export function validFor(api: Api, known: Known, given: Schema, name = ""): fc.Arbitrary<unknown> {
  const { type, enum: choices, anyOf } = schemaOf(api, given);
  // On Vault's wire a `secret_id` is a token.
  if (name === "id" || (name === "secret_id" && !isVaultApi(api))) return fc.constantFrom(...known.secretIds, ...known.tokenIds, "sec_0", "tok_0");
  if (anyOf) return fc.oneof(...anyOf.map((option) => validFor(api, known, option, name)));
  if (name === "data" && type === undefined) return json;
  if (VALUES.has(name) && [type].flat().includes("string") && !choices) return name === "token" ? fc.option(value, { nil: "" }) : value;
  if (name === "versions" || name === "cas") return few(type);
  if (given.$ref?.endsWith("/SecretName") || name === "name")
    return fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...NAMES) }, fromSchema(api, known, given));
  if (given.$ref?.endsWith("/Scope")) return fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...SCOPES) }, fromSchema(api, known, given));
  return fromSchema(api, known, given, name);
}

/** Versions that there may be. */
function few(type: Schema["type"]): fc.Arbitrary<unknown> {
  const number = fc.integer({ min: 0, max: 4 });
  if (type === "array") return fc.array(fc.oneof(number, number.map(String)), { minLength: 1, maxLength: 3 });
  return type === "string" ? number.map(String) : type === "null" ? fc.constant(null) : number;
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
  if (typeof additionalProperties === "object" && Object.keys(properties).length === 0) {
    const key =
      name === "secrets"
        ? fc.constantFrom(...NAMES)
        : name === "data"
          ? fc.constantFrom(...KEYS)
          : propertyNames?.pattern
            ? textOf(propertyNames)
            : fc.stringMatching(/^[a-z_]{1,12}$/);
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
