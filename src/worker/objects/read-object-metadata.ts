import { MAX_OBJECT_SECRETS } from "../../contract/object.ts";
import { matchesAny } from "../../contract/pattern.ts";
import { Problem } from "../../contract/problem.ts";
import type { Scope } from "../../contract/scope.ts";
import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { type RevisionOfVersion, selectNewestVersions } from "../store/version-rows.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import type { Verified } from "../transaction/verify-row.ts";
import { findObject } from "./find-object.ts";
import type { ObjectState } from "./object.ts";

/** What a revision of an object was. Times are milliseconds since 1970. */
interface ObjectVersion {
  readonly revision: number;
  readonly createdAt: number;
  /** When what it is about was deleted, where all of that is deleted still; `null` otherwise. */
  readonly deletedAt: number | null;
  /** Whether all values are destroyed that were written with it. */
  readonly destroyed: boolean;
}

/** What there is to know of an object beside its values. */
export interface ObjectMetadata {
  readonly state: ObjectState;
  /** The revisions with which values were written or secrets deleted that are still known, and the present one, the oldest first. */
  readonly versions: readonly ObjectVersion[];
  /** The first of them, or the present one where there is none. */
  readonly oldestRevision: number;
  /** How many values of a secret are kept. */
  readonly maxVersions: number;
}

/**
 * What there is to know of an object beside its values, as far as the grant covers its names. Of each secret the newest
 * `maxVersions` values are looked at.
 *
 * @throws {Problem} `forbidden`, `scope-not-found` where it was never written, `too-many-secrets`, `storage-unavailable`.
 */
export async function readObjectMetadata(needs: CallerNeeds & { readonly maxVersions: number }, caller: Caller, scope: Scope): Promise<ObjectMetadata> {
  caller.require("secrets:read", scope);
  const { db, maxVersions } = needs;
  const { state, rows } = await findObject(needs, caller, scope, "all");
  const covered = rows.filter(({ name }) => matchesAny(caller.secretNames, name));
  // Whoever is limited by name is told of what has such names, and of nothing else.
  if (state.createdAt === null || (caller.secretNames !== null && covered.length === 0))
    throw new Problem("scope-not-found", `Nothing was ever written in ${scope}.`);
  if (rows.length > MAX_OBJECT_SECRETS)
    throw new Problem(
      "too-many-secrets",
      `${scope} holds more than ${MAX_OBJECT_SECRETS} secrets, with those that can come back: too many to be read as one object.`,
    );
  const ids = covered.map(({ id }) => id);
  const [written] = await readForCaller(needs, caller, [selectNewestVersions(db, ids, maxVersions)]);
  const versions = withPresent(versionsOf(covered, rowsOf<RevisionOfVersion>(written)), state, covered);
  return { state, versions, oldestRevision: versions[0]?.revision ?? state.revision, maxVersions };
}

/**
 * A write that wrote no value anew, or an undelete, is the present version all the same: clients look up what they are told is
 * current. While anything is there it is not deleted, also where all that it did was to take some keys away.
 */
function withPresent(versions: readonly ObjectVersion[], { revision, updatedAt }: ObjectState, rows: readonly Verified<SecretRow>[]): readonly ObjectVersion[] {
  const isThere = rows.some(({ deleted_at }) => deleted_at === null);
  if (revision === 0 || updatedAt === null) return versions;
  if (versions.some((version) => version.revision === revision))
    return versions.map((version) => (isThere && version.revision === revision ? { ...version, deletedAt: null } : version));
  return [...versions, { revision, createdAt: updatedAt, deletedAt: isThere ? null : updatedAt, destroyed: false }];
}

/** What one secret says of a revision. */
interface Part {
  readonly revision: number;
  readonly at: number;
  readonly deletedAt: number | null;
  readonly destroyed: boolean;
}

function versionsOf(rows: readonly Verified<SecretRow>[], written: readonly RevisionOfVersion[]): ObjectVersion[] {
  const deletedAt = new Map(rows.map(({ id, deleted_at }) => [id, deleted_at]));
  const parts: Part[] = [
    // Of what was written before there were revisions it is not known.
    ...written
      .filter(({ scope_revision }) => scope_revision > 0)
      .map(({ secret_id, scope_revision, created_at, destroyed }) => ({
        revision: scope_revision,
        at: created_at,
        deletedAt: deletedAt.get(secret_id) ?? null,
        destroyed: destroyed === 1,
      })),
    ...rows.flatMap(({ deleted_revision: revision, deleted_at }) =>
      revision === null || deleted_at === null ? [] : [{ revision, at: deleted_at, deletedAt: deleted_at, destroyed: false }],
    ),
  ];
  const revisions = [...Map.groupBy(parts, ({ revision }) => revision)].sort(([a], [b]) => a - b);
  return revisions.map(([revision, some]) => ({
    revision,
    createdAt: Math.min(...some.map(({ at }) => at)),
    deletedAt: some.every((part) => part.deletedAt !== null) ? Math.max(...some.map((part) => part.deletedAt ?? 0)) : null,
    destroyed: some.every(({ destroyed }) => destroyed),
  }));
}
