import { keyOfName } from "../../contract/object-key.ts";
import { Problem, storageUnavailable } from "../../contract/problem.ts";
import type { Scope } from "../../contract/scope.ts";
import type { Caller } from "../access/caller.ts";
import type { SecretValue } from "../secrets/change.ts";
import type { RecordNeeds } from "../secrets/record-selection.ts";
import type { Release } from "../secrets/release-secrets.ts";
import type { QueryNeeds, ResolveRequest } from "../secrets/resolution-query.ts";
import { resolveSecrets } from "../secrets/resolve-secrets.ts";
import type { RecordedSelection } from "../secrets/selection.ts";
import { type ObjectState, objectState } from "./object.ts";

/** One key of an object. */
interface ObjectValue {
  readonly key: string;
  readonly value: SecretValue;
}

/** An object as it is read. */
export interface ReadObject {
  readonly values: readonly ObjectValue[];
  readonly state: ObjectState;
  /** What people should know of what is not in it, in sentences. */
  readonly warnings: readonly string[];
}

/** The resolve that reads an object: every name of exactly its scope that the grant covers, with its revision. */
export function objectRequest(scope: Scope): ResolveRequest {
  return { scopes: [scope], allowMissing: false, inherit: false, asVariables: false, object: scope };
}

/**
 * Selects an object, and puts that on record: a resolve like any other, with the object's revision from the statement that
 * selects the values. `releaseSecrets` gives the values, and {@link readObject} makes the object of them. Under a lease it is
 * `resolveLeased` with {@link objectRequest}.
 *
 * @throws {Problem} as `resolveSecrets`; `too-many-secrets` for more keys than an answer has.
 */
export function selectObject(needs: RecordNeeds & QueryNeeds, caller: Caller, scope: Scope): Promise<RecordedSelection> {
  return resolveSecrets(needs, caller, objectRequest(scope));
}

/**
 * Makes an object of what is released. One of whose values cannot be had now is none: whoever writes it back would delete
 * what is not in it.
 *
 * @throws {Problem} `storage-unavailable`, `integrity-failed`.
 */
export function readObject({ secrets, expired, unavailable, object }: Release, { secretNames }: Pick<Caller, "secretNames">): ReadObject {
  const unhad = unavailable.filter(({ reason }) => reason !== "name-locked");
  if (unhad.length > 0) throw unreadable(unhad);
  const locked = unavailable.map(({ name }) => name);
  const warnings = [
    ...(secretNames === null ? [] : ["The token's grant covers some names only: what else there is is not here."]),
    ...(expired.length > 0 ? [`Not here, because they have expired: ${expired.map(keyOfName).join(", ")}.`] : []),
    ...(locked.length > 0 ? [`Not here, because a wider scope has locked them: ${locked.map(keyOfName).join(", ")}.`] : []),
  ];
  const values = secrets.map(({ name, bytes, encoding }) => ({ key: keyOfName(name), value: { bytes, encoding } }));
  return { values, state: objectState(object), warnings };
}

function unreadable(unhad: Release["unavailable"]): Problem {
  const detail = `The object cannot be had as a whole now; without their values are ${unhad.map(({ name }) => keyOfName(name)).join(", ")}.`;
  const members = { unavailable: unhad.map(({ name, reason }) => ({ name, reason })) };
  if (unhad.some(({ reason }) => reason === "integrity-failed")) return new Problem("integrity-failed", detail, { members });
  return new Problem("storage-unavailable", detail, { members, headers: storageUnavailable("").headers });
}
