import { MAX_OBJECT_SECRETS } from "../../contract/object.ts";
import { Problem } from "../../contract/problem.ts";
import type { Scope } from "../../contract/scope.ts";
import type { Caller } from "../access/caller.ts";
import { insertEvent } from "../audit/insert-event.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type ScopeRevision, selectRevision } from "../store/scope-revisions.ts";
import { requireNoStore } from "../store/scope-store-rows.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { requireChanges, requireRevisions, selectDeletedIn, selectSecretsById, touchSecrets } from "../store/secret-rows.ts";
import { destroyVersions, selectWrittenWith, type VersionKey } from "../store/version-rows.ts";
import { deletionOf } from "../transaction/deletion-of.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { type Verified, verifyRows } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { keysTold } from "./named-keys.ts";
import type { ObjectNeeds } from "./object.ts";
import { requireWhole } from "./require-whole.ts";
import { requireRevisionsNamed } from "./undelete-object.ts";

/** What is destroyed of a scope's secrets. */
interface Destruction {
  /** Older values: the secret, and the number of the value. */
  readonly older: readonly { readonly row: Verified<SecretRow>; readonly version: number }[];
  /** Deleted secrets whose value it is that would come back: there is nothing left to come back. */
  readonly purged: readonly Verified<SecretRow>[];
  /** Secrets that are there, whose current value it is. */
  readonly current: readonly Verified<SecretRow>[];
}

/**
 * Destroys the values that were written at revisions of an object, for good and in one transaction. Where one of them is current
 * nothing is destroyed: an object stays what it is, and so does its revision. A deleted secret has no current value: where the one
 * is destroyed that would come back with it, all of it goes. The revision that last deleted all of an object at once stands for
 * what it deleted: elsewhere a deletion makes no version, and people name the one that they are told is current.
 *
 * The grant has to cover every name of which something would be destroyed.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `version-conflict` where a value is current, `too-many-secrets`,
 *   `write-conflict`, `storage-unavailable`.
 */
export async function destroyObject(needs: ObjectNeeds, caller: Caller, scope: Scope, versions: readonly number[]): Promise<void> {
  caller.require("secrets:write", scope);
  requireRevisionsNamed(versions);
  await retryWhenChanged(async () => {
    const { older, purged, current } = await findDestroyed(needs, caller, scope, versions);
    requireWhole(caller, [...older.map(({ row }) => row), ...purged, ...current]);
    if (current.length > 0) throw currentValues(caller, current);
    const { db, now } = needs;
    const touched = [...new Set(older.map(({ row }) => row))];
    const purge = purged.length === 0 ? [] : (await deletionOf(needs, purged, true)).statements;
    const ranges = older.map(({ row, version }) => ({ secret_id: row.id, from: version, to: version }));
    const changes =
      older.length === 0
        ? []
        : [
            requireNoStore(db, caller.org, [scope]),
            requireRevisions(db, touched),
            touchSecrets(db, touched),
            requireChanges(db, touched.length),
            ...destroyVersions(db, ranges, now.getTime()),
          ];
    const gone = purged.map(({ id, name, version }) => ({ id, name, scope, version }));
    const event = { actor: caller, action: "secret.purge", outcome: "allowed", at: now, target: scope } as const;
    const secrets = older.map(({ row: { id, name }, version }) => ({ id, name, scope, version }));
    const others = gone.length === 0 ? [] : [insertEvent(db, event, gone)];
    await writeForCaller(needs, caller, [...changes, ...purge, ...others], { action: "secret.destroy", secrets, target: scope });
  });
}

async function findDestroyed(needs: ObjectNeeds, caller: Caller, scope: Scope, versions: readonly number[]): Promise<Destruction> {
  const { db, keyring } = needs;
  const [written, state] = await readForCaller(needs, caller, [
    selectWrittenWith(db, caller.org, scope, [...new Set(versions)], MAX_OBJECT_SECRETS + 1),
    selectRevision(db, { org: caller.org, scope }),
  ]);
  const keys = rowsOf<VersionKey>(written);
  const emptied = rowsOf<ScopeRevision>(state).flatMap(({ emptied_revision }) => versions.filter((version) => version === emptied_revision));
  const [found, gone] = await readForCaller(needs, caller, [
    selectSecretsById(db, [...new Set(keys.map(({ secret_id }) => secret_id))]),
    selectDeletedIn(db, caller.org, scope, emptied, MAX_OBJECT_SECRETS + 1),
  ]);
  const deletedAtOnce = await verifyRows(keyring, "secrets", rowsOf<SecretRow>(gone));
  if (Math.max(keys.length, deletedAtOnce.length) > MAX_OBJECT_SECRETS)
    throw new Problem("too-many-secrets", `More than ${MAX_OBJECT_SECRETS} values, which is too many to be destroyed at once.`);
  return destructionOf(keys, await verifyRows(keyring, "secrets", rowsOf<SecretRow>(found)), deletedAtOnce);
}

function destructionOf(keys: readonly VersionKey[], found: readonly Verified<SecretRow>[], deletedAtOnce: readonly Verified<SecretRow>[]): Destruction {
  const rows = new Map(found.map((row) => [row.id, row]));
  const pairs = keys.flatMap(({ secret_id, version }) => {
    const row = rows.get(secret_id);
    return row ? [{ row, version }] : [];
  });
  const newest = pairs.filter(({ row, version }) => version === row.version).map(({ row }) => row);
  const purged = new Map([...deletedAtOnce, ...newest.filter(({ deleted_at }) => deleted_at !== null)].map((row) => [row.id, row]));
  return {
    older: pairs.filter(({ row, version }) => version !== row.version && !purged.has(row.id)),
    purged: [...purged.values()],
    current: newest.filter(({ deleted_at }) => deleted_at === null),
  };
}

/** The answer where values are current: whoever is told that they are destroyed would believe it. */
function currentValues(caller: Caller, rows: readonly Verified<SecretRow>[]): Problem {
  return new Problem(
    "version-conflict",
    `Nothing was destroyed: of these versions the values of ${keysTold(caller, rows)} are current. Write new values, or delete them, first.`,
  );
}
