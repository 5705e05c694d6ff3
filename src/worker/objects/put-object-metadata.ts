import { type CustomMetadata, customMetadataSchema, MAX_OBJECT_SECRETS } from "../../contract/object.ts";
import { invalid, Problem } from "../../contract/problem.ts";
import type { Scope } from "../../contract/scope.ts";
import { sortedJson } from "../../contract/sorted-json.ts";
import type { Caller } from "../access/caller.ts";
import { putCustomMetadata, requireCustomMetadata } from "../store/scope-revisions.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { writeWithinQuota } from "../transaction/write-within-quota.ts";
import { findObject } from "./find-object.ts";
import { type ObjectNeeds, revisionConflict } from "./object.ts";
import { requireWhole } from "./require-whole.ts";

/**
 * Sets what is said of an object, in place of what was said before. It needs no object, makes none, and is no revision. The
 * grant has to cover every name that is there.
 *
 * @param seen What was said when the caller looked, where nobody may have said anything else since.
 * @throws {Problem} `forbidden`, `invalid-request`, `version-conflict`, `rate-limited`, `storage-unavailable`.
 */
export function putObjectMetadata(needs: ObjectNeeds, caller: Caller, scope: Scope, metadata: CustomMetadata, seen?: CustomMetadata): Promise<void> {
  return changeMetadata(needs, caller, scope, (before) => {
    if (seen !== undefined && sortedJson(seen) !== sortedJson(before)) throw revisionConflict();
    return metadata;
  });
}

/**
 * Changes some of what is said of an object: a merge patch (RFC 7386); `null` takes a text away.
 *
 * @throws {Problem} as {@link putObjectMetadata}.
 */
export function patchObjectMetadata(needs: ObjectNeeds, caller: Caller, scope: Scope, changes: Readonly<Record<string, string | null>>): Promise<void> {
  return changeMetadata(needs, caller, scope, (before) => {
    const merged = new Map<string, string | null>([...Object.entries(before), ...Object.entries(changes)]);
    return Object.fromEntries([...merged].flatMap(([key, text]) => (text === null ? [] : [[key, text] as const])));
  });
}

async function changeMetadata(needs: ObjectNeeds, caller: Caller, scope: Scope, change: (before: CustomMetadata) => CustomMetadata): Promise<void> {
  caller.require("secrets:write", scope);
  const { db, now } = needs;
  await retryWhenChanged(async () => {
    const { state, rows } = await findObject(needs, caller, scope, "all");
    requireWhole(caller, rows);
    if (rows.length === 0 && caller.secretNames !== null)
      throw caller.refuse("secrets:write", "The token's grant covers some names only, and there is none of them here.");
    if (caller.secretNames !== null && rows.length > MAX_OBJECT_SECRETS)
      throw new Problem("too-many-secrets", `${scope} holds more than ${MAX_OBJECT_SECRETS} secrets.`);
    const parsed = customMetadataSchema.safeParse(change(state.customMetadata));
    if (!parsed.success) throw invalid("/custom_metadata", parsed.error.issues[0]?.message ?? "not texts under keys");
    const key = { org: caller.org, scope };
    const metadata = sortedJson(parsed.data);
    await writeWithinQuota(needs, caller, { kept: metadata === "{}" ? [] : ["bytes"], made: 1 }, ({ before, after }) =>
      writeForCaller(
        needs,
        caller,
        [requireCustomMetadata(db, key, sortedJson(state.customMetadata)), before, putCustomMetadata(db, key, metadata, now.getTime()), after],
        {
          action: "secret.update",
          secrets: [],
          target: scope,
        },
      ),
    );
  });
}
