import { MAX_OBJECT_SECRETS } from "../../contract/object.ts";
import { keyOfName } from "../../contract/object-key.ts";
import { matchesAny } from "../../contract/pattern.ts";
import { Problem } from "../../contract/problem.ts";
import type { Scope } from "../../contract/scope.ts";
import type { Caller } from "../access/caller.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";
import { findObject } from "./find-object.ts";
import type { ObjectState } from "./object.ts";

/** The keys of an object, and how it is. */
export interface ObjectKeys {
  /** None where all of it is deleted. */
  readonly keys: readonly string[];
  readonly state: ObjectState;
}

/**
 * The keys of an object that the grant covers, also those whose values have expired. No value is opened: what keys a value has
 * inside is a part of the value.
 *
 * @throws {Problem} `forbidden`, `scope-not-found` where it was never written, or holds nothing that a grant limited by name
 *   covers, `too-many-secrets`, `storage-unavailable`.
 */
export async function readObjectKeys(needs: CallerNeeds, caller: Caller, scope: Scope): Promise<ObjectKeys> {
  caller.require("secrets:read", scope);
  const { state, rows } = await findObject(needs, caller, scope);
  const covered = rows.filter(({ name }) => matchesAny(caller.secretNames, name));
  // Whoever is limited by name is told of what has such names, and of nothing else.
  if (covered.length === 0 && (caller.secretNames !== null || state.revision === 0)) throw new Problem("scope-not-found", `There is nothing in ${scope}.`);
  if (rows.length > MAX_OBJECT_SECRETS)
    throw new Problem("too-many-secrets", `${scope} holds more than ${MAX_OBJECT_SECRETS} secrets: too many to be read as one object.`);
  return { keys: covered.map(({ name }) => keyOfName(name)), state };
}
