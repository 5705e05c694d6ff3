import { isEncoded, keyOfName } from "../../contract/object-key.ts";
import type { Pattern } from "../../contract/pattern.ts";
import { Problem } from "../../contract/problem.ts";
import { whyReserved } from "../../contract/reserved-name.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { ChangeOfValue, SecretValue } from "../secrets/change.ts";
import { holds } from "../secrets/holds.ts";
import type { FoundSetting } from "../secrets/plan-settings.ts";
import { type ReadNeeds, readValue } from "../secrets/read-values.ts";
import { isExpired } from "../secrets/write-secrets.ts";
import type { CurrentRow } from "../store/secret-rows.ts";
import { mergeJson } from "./merge-json.ts";
import { badKey, requireValueFits } from "./object.ts";

/** A merge patch of a value that is a JSON object (RFC 7386), as its text. Of any other value it makes a new one. */
export interface MergePatch {
  readonly merge: string;
}

type Needs = ReadNeeds & { readonly now: Date; readonly reservedNames: readonly Pattern[] };

/**
 * The change that sets a key of an object, by what is there. What has expired has no expiry then: whoever sets a key finds it.
 *
 * @throws {Problem} `invalid-request`, `value-too-large`; what reading the value throws that is to be merged.
 */
export async function changeOfKey(needs: Needs, { name, kept, given }: FoundSetting<SecretValue | MergePatch>): Promise<ChangeOfValue> {
  const live = kept?.deleted_at === null ? kept : undefined;
  const value = "merge" in given ? await merged(needs, name, live, given) : await asHeld(needs, live, given);
  requireValueFits(keyOfName(name), value);
  const isNew = live === undefined;
  return { value, endsExpiry: true, ...(isNew && !mayBeVariable(name, needs.reservedNames) && { metadata: { variable: 0 } }) };
}

/** Whether a key becomes a variable that nobody has said anything of. */
export function mayBeVariable(name: SecretName, reservedNames: readonly Pattern[]): boolean {
  return !isEncoded(name) && whyReserved(name, reservedNames) === undefined;
}

/**
 * The value that a merge patch makes. Nobody is given it. Of what has expired nothing is merged: it would be released again. That
 * it cannot be stored says something of the value that is held, to a caller who may not be allowed to read it: so that is on
 * record.
 */
async function merged(needs: Needs, name: SecretName, live: CurrentRow | undefined, { merge }: MergePatch): Promise<SecretValue> {
  if (live?.encoding === "source") throw badKey(keyOfName(name), "has its value from a store, and nothing is merged into that: give all of it");
  const merges = live?.encoding === "json" && !isExpired(live, needs.now);
  const held = merges ? new TextDecoder().decode(await readValue(needs, { ...live, binding: live })) : undefined;
  try {
    const value: SecretValue = { bytes: new TextEncoder().encode(mergeJson(held, merge)), encoding: "json", typed: true };
    requireValueFits(keyOfName(name), value);
    return value;
  } catch (error) {
    if (live === undefined || held === undefined || !(error instanceof Problem)) throw error;
    const { code, message, members } = error;
    throw new Problem(code, message, { members, about: [{ scope: live.scope, name }], cause: error });
  }
}

/** A value as it was given; but the base64 of bytes that are held is these: whoever reads an object and writes it again changes nothing. */
async function asHeld(needs: Needs, live: CurrentRow | undefined, { bytes, encoding }: SecretValue): Promise<SecretValue> {
  const given = { bytes, encoding, typed: true };
  if (live?.encoding !== "base64" || encoding !== "utf8") return given;
  const decoded = fromBase64(new TextDecoder().decode(bytes));
  const binary = decoded && ({ bytes: decoded, encoding: "base64" } as const);
  return binary && (await holds(needs, live, binary)) ? binary : given;
}

/** The bytes of exactly the text that is shown of them. */
function fromBase64(text: string): Uint8Array | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
    return bytes.toBase64() === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}
