import { MAX_OBJECT_SECRETS } from "../../contract/object.ts";
import { Problem } from "../../contract/problem.ts";
import type { Scope } from "../../contract/scope.ts";
import type { Caller } from "../access/caller.ts";
import type { SecretValue } from "../secrets/change.ts";
import { planSettings } from "../secrets/plan-settings.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { changeOfKey } from "./change-of-key.ts";
import { findHidden, type Hidden, hiddenWarnings } from "./find-hidden.ts";
import { findObject } from "./find-object.ts";
import { type KeepNeeds, keepSources } from "./keep-sources.ts";
import { namesOfKeys } from "./names-of-keys.ts";
import type { CheckAndSet, WrittenObject } from "./object.ts";
import { requireWhole } from "./require-whole.ts";
import { checkRevision, writeObject } from "./write-object.ts";

/**
 * Replaces all of an object in one transaction: sets each key that is given, as `setSecret` would, and deletes all others, as
 * `deleteSecret` would, but for those that no read shows: whoever reads an object, changes it and writes it again does not know
 * of them. What is there already adds no version; where that is all, the revision stays.
 *
 * A key with a source keeps it where it is given what the store has.
 *
 * The grant has to cover every name that is given and that is there.
 *
 * @param values By key.
 * @throws {Problem} `forbidden`, `invalid-request` for a key that cannot be stored or has another value from a store, `store-unavailable`, `value-too-large`, `too-many-secrets`,
 *   `version-conflict`, `name-locked`, `env-name-conflict`, `quota-exceeded`, `write-conflict`, `storage-unavailable`.
 */
export async function replaceObject(
  needs: KeepNeeds,
  caller: Caller,
  scope: Scope,
  values: ReadonlyMap<string, SecretValue>,
  condition: CheckAndSet = {},
): Promise<WrittenObject> {
  return replaceAll(needs, caller, { scope, values, condition, keepsHidden: true });
}

/** What is written in place of an object. */
interface Replacement {
  readonly scope: Scope;
  readonly values: ReadonlyMap<string, SecretValue>;
  readonly condition: CheckAndSet;
  /** Whether what no read shows stays. */
  readonly keepsHidden: boolean;
}

async function replaceAll(needs: KeepNeeds, caller: Caller, { scope, values, condition, keepsHidden }: Replacement): Promise<WrittenObject> {
  caller.require("secrets:write", scope);
  const given = namesOfKeys(values);
  caller.require("secrets:write", scope, [...given.keys()]);
  return retryWhenChanged(async () => {
    const { state, rows } = await findObject(needs, caller, scope);
    requireWhole(caller, rows);
    checkRevision(condition, state);
    if (rows.length > MAX_OBJECT_SECRETS)
      throw new Problem("too-many-secrets", `${scope} holds more than ${MAX_OBJECT_SECRETS} secrets, which is too many to be replaced at once.`);
    const absent = rows.filter(({ name }) => !given.has(name as never));
    const hidden = keepsHidden && absent.length > 0 ? await findHidden(needs, caller, absent) : NOTHING_HIDDEN;
    const deleted = absent.filter((row) => !(hidden.expired.includes(row) || hidden.locked.includes(row)));
    const sealing = await allowSealing(needs);
    const kept = await keepSources(needs, caller, scope, rows, given);
    const writes = await planSettings(sealing, caller, { scope, undelete: false }, kept, (found) => changeOfKey(needs, found));
    const empties = deleted.length > 0 && deleted.length === rows.length && given.size === 0;
    const written = await writeObject(sealing, caller, { scope, found: state.revision, writes, deleted, empties, ...condition });
    return { ...written, warnings: [...written.warnings, ...hiddenWarnings(caller, hidden)] };
  });
}

const NOTHING_HIDDEN: Hidden = { expired: [], locked: [] };

/**
 * Deletes an object: all of its secrets, also those that no read shows, in one transaction, so that they can come back for some
 * days. One that is not there stays so.
 *
 * @throws {Problem} `forbidden`, `too-many-secrets`, `version-conflict`, `write-conflict`, `storage-unavailable`.
 */
export function deleteObject(needs: KeepNeeds, caller: Caller, scope: Scope): Promise<WrittenObject> {
  return replaceAll(needs, caller, { scope, values: new Map(), condition: {}, keepsHidden: false });
}
