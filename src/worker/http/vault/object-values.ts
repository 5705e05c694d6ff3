import { jsonPointer } from "../../../contract/json-pointer.ts";
import type { KeyChange } from "../../objects/patch-object.ts";
import type { SecretValue } from "../../secrets/change.ts";
import { valueFrom } from "./vault-value.ts";

/** The values by key in a body, whose numbers are as they were written. */
export function valuesIn(exact: unknown): Map<string, SecretValue> {
  return mapData(exact, (json, pointer) => valueFrom(json, pointer));
}

/** What a merge patch in a body changes, by key: what is an object is merged into what is there. */
export function changesIn(exact: unknown): Map<string, KeyChange> {
  return mapData(exact, (json, pointer): KeyChange => {
    if (json === "null") return null;
    return json.startsWith("{") ? { merge: json } : valueFrom(json, pointer);
  });
}

function mapData<T>(exact: unknown, make: (json: string, pointer: string) => T): Map<string, T> {
  const { data } = exact as { readonly data: Readonly<Record<string, unknown>> };
  return new Map(Object.entries(data).map(([key, value]) => [key, make(JSON.stringify(value), jsonPointer(["data", key.slice(0, 128)]))]));
}
