import type { ObjectMember } from "../../contract/import-object.ts";
import { MAX_OBJECT_KEYS } from "../../contract/object.ts";
import { MAX_VALUE_BYTES } from "../../contract/secret.ts";
import { isWellFormed } from "../../contract/well-formed.ts";
import type { JsonMember } from "./json-members.ts";

/** The members of an object as Keyhole takes them, and what of them it cannot take, by key. */
export interface CheckedMembers {
  readonly members: readonly ObjectMember[];
  readonly faults: ReadonlyMap<string, string>;
}

/** Text is its characters, everything else is kept as the JSON that it is. */
export function checkMembers(given: readonly JsonMember[]): CheckedMembers {
  const members = given.map(({ name, json }): ObjectMember => {
    return json.startsWith('"') ? { key: name, value: JSON.parse(json), encoding: "utf8" } : { key: name, value: json, encoding: "json" };
  });
  const faults = new Map(members.flatMap((member) => whyNot(member).map((reason) => [member.key, reason] as const)));
  if (members.length > MAX_OBJECT_KEYS)
    for (const { key } of members) faults.set(key, `an object has at most ${MAX_OBJECT_KEYS} keys, and this one ${members.length}`);
  return { members, faults };
}

function whyNot({ key, value }: ObjectMember): string[] {
  const bytes = Buffer.byteLength(value);
  if (bytes > MAX_VALUE_BYTES) return [`a value has at most ${MAX_VALUE_BYTES.toLocaleString("en")} bytes, and this one ${bytes.toLocaleString("en")}`];
  return isWellFormed(key) && isWellFormed(value) ? [] : ["it holds a lone surrogate, which UTF-8 cannot carry"];
}
