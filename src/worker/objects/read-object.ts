import { keyOfName } from "../../contract/object-key.ts";
import { Problem, storageUnavailable } from "../../contract/problem.ts";
import type { Scope } from "../../contract/scope.ts";
import type { Caller } from "../access/caller.ts";
import type { SecretValue } from "../secrets/change.ts";
import type { Release } from "../secrets/release-secrets.ts";
import type { ResolveRequest } from "../secrets/resolution-query.ts";
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

/**
 * The resolve that reads an object, on record like any other: every name of exactly its scope that the grant covers, with the
 * object's revision from the statement that selects the values. {@link readObject} makes the object of what it releases.
 */
export function objectRequest(scope: Scope): ResolveRequest {
  return { scopes: [scope], allowMissing: false, inherit: false, asVariables: false, object: scope };
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
