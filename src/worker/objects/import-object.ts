import type { ImportObject, ImportObjectReply } from "../../contract/import-object.ts";
import type { CustomMetadata } from "../../contract/object.ts";
import { MAX_OBJECT_KEYS } from "../../contract/object.ts";
import { keyOfName, nameOfKey } from "../../contract/object-key.ts";
import { Problem, type ProblemError, problemOfErrors } from "../../contract/problem.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import { sortedJson } from "../../contract/sorted-json.ts";
import type { Caller } from "../access/caller.ts";
import type { SecretValue } from "../secrets/change.ts";
import { recordDryRun } from "../secrets/import-secrets.ts";
import { planSettings } from "../secrets/plan-settings.ts";
import type { Write } from "../secrets/write-secrets.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { changeOfKey } from "./change-of-key.ts";
import { findObject } from "./find-object.ts";
import type { ObjectNeeds } from "./object.ts";
import { putObjectMetadata } from "./put-object-metadata.ts";
import { requireWhole } from "./require-whole.ts";
import { valueOfJson, valueOfJsonText } from "./value-of-json.ts";
import { writeObject } from "./write-object.ts";

/** How an object is imported. */
interface Importing {
  /** Whether only to say what would happen. */
  readonly dryRun: boolean;
  /** Whether a value takes the place of a different one. */
  readonly overwrite: boolean;
}

/**
 * Sets keys of an object, all of them or none, leaves all others alone, and says how they compare with what was there: no
 * value is given back, and nobody else has written the object between the comparison and the write. Without `overwrite`
 * nothing is written where anything is different. What is said of the object follows in a transaction of its own: who is
 * stopped between them imports again, which finds the keys the same.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `value-too-large`, `too-many-secrets`, `name-locked`, `env-name-conflict`, `quota-exceeded`, `version-conflict`, `write-conflict`, `storage-unavailable`.
 */
export async function importObject(needs: ObjectNeeds, caller: Caller, given: ImportObject, { dryRun, overwrite }: Importing): Promise<ImportObjectReply> {
  const { scope, members, custom_metadata: metadata } = given;
  caller.require("secrets:write", scope);
  const values = valuesOf(members);
  caller.require("secrets:write", scope, [...values.keys()]);
  return retryWhenChanged(async () => {
    const { state, rows } = await findObject(needs, caller, scope);
    if (metadata !== undefined) requireWhole(caller, rows);
    const sealing = await allowSealing(needs);
    const writes = await planSettings(sealing, caller, { scope, undelete: false }, values, (found) => changeOfKey(needs, found));
    const compared = { new: keysOf(writes, "created"), same: keysOf(writes, "unchanged"), different: keysOf(writes, "updated") };
    const said = metadata === undefined ? null : compareMetadata(state.customMetadata, metadata);
    const differs = compared.different.length > 0 || said === "different";
    const allSame = compared.same.length === writes.length;
    const mayWrite = !dryRun && (overwrite || !differs);
    // What is not written has told all the same which values are held.
    if (mayWrite && !allSame)
      await writeObject(sealing, caller, { scope, found: state.revision, writes, deleted: [], empties: false, action: "secret.import" });
    else await recordDryRun(needs, caller, scope, writes);
    const saysMore = mayWrite && metadata !== undefined && said !== "same";
    if (saysMore) await putObjectMetadata(needs, caller, scope, metadata, state.customMetadata);
    return { ...compared, custom_metadata: said, written: mayWrite && (!allSame || saysMore) };
  });
}

function keysOf(writes: readonly Write[], wanted: Write["outcome"]): string[] {
  return writes.filter(({ outcome }) => outcome === wanted).map(({ row }) => keyOfName(row.name));
}

function compareMetadata(held: CustomMetadata, given: CustomMetadata): "new" | "same" | "different" {
  if (sortedJson(held) === sortedJson(given)) return "same";
  return Object.keys(held).length === 0 ? "new" : "different";
}

/** The values by the names under which they are stored. Everything that is wrong with them is found at once. */
function valuesOf(members: ImportObject["members"]): Map<SecretName, SecretValue> {
  if (members.length > MAX_OBJECT_KEYS) throw new Problem("too-many-secrets", `An object is written with at most ${MAX_OBJECT_KEYS} keys.`);
  const values = new Map<SecretName, SecretValue>();
  const seen = new Set<SecretName>();
  const faults = members.flatMap(({ key, value, encoding }, n): ProblemError[] => {
    const stored = nameOfKey(key);
    const name = "name" in stored ? stored.name : undefined;
    const reason = "reason" in stored ? stored.reason : seen.has(stored.name) && "is given twice";
    if (name !== undefined) seen.add(name);
    // A text is the JSON of itself: what Vault's clients write and what is imported is one and the same.
    const parsed = encoding === "json" ? valueOfJsonText(value) : valueOfJson(JSON.stringify(value));
    const wrong = [reason && { pointer: `/members/${n}/key`, detail: reason }, "reason" in parsed && { pointer: `/members/${n}/value`, detail: parsed.reason }];
    if (name !== undefined && "value" in parsed) values.set(name, parsed.value);
    return wrong.flatMap((fault) => fault || []);
  });
  if (faults.length > 0) throw problemOfErrors("invalid-request", faults, " Nothing was stored.");
  return values;
}
