import { resolveSchema } from "../worker/http/docs/api-document.ts";
import type { ApiDocument } from "../worker/http/docs/api-types.ts";
import type { JsonSchema } from "../worker/http/docs/json-schema.ts";

/** One field of a body, for people. */
export interface Field {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

/** The fields of a JSON body; none where it is not one object. */
export function describeFields(document: ApiDocument, schema: JsonSchema): Field[] {
  const { properties = {}, required = [] } = resolveSchema(document, schema);
  return Object.entries(properties).map(([name, property]) => ({
    name,
    type: describeType(document, property),
    required: required.includes(name),
    description: resolveSchema(document, property).description ?? "",
  }));
}

/** A schema in a few words: its type, what it may be, and its bounds. */
export function describeType(document: ApiDocument, schema: JsonSchema): string {
  const resolved = resolveSchema(document, schema);
  const { type, enum: choices, items } = resolved;
  const name = choices ? choices.map(String).join(" | ") : items ? `list of ${describeType(document, items)}` : [type ?? "any"].flat().join(" or ");
  return [name, ...bounds(resolved)].join(", ");
}

function bounds({ minimum, maximum, minItems, maxItems, maxLength, format, default: fallback }: JsonSchema): string[] {
  return [
    ...(format === "date-time" ? ["RFC 3339"] : []),
    ...(minimum !== undefined && maximum !== undefined ? [`${minimum} to ${maximum}`] : []),
    ...(maxItems !== undefined ? [`${minItems ?? 0} to ${maxItems} of them`] : []),
    ...(maxLength !== undefined ? [`at most ${maxLength} characters`] : []),
    ...(fallback !== undefined ? [`default ${JSON.stringify(fallback)}`] : []),
  ];
}
