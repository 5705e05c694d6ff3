import { MAX_OBJECT_SECRETS, MAX_REVISIONS_NAMED } from "../../contract/object.ts";
import { invalid, Problem } from "../../contract/problem.ts";
import type { Scope } from "../../contract/scope.ts";
import type { Caller } from "../access/caller.ts";
import { planUndeletion } from "../secrets/plan-undeletion.ts";
import { unlessTaken } from "../secrets/unless-taken.ts";
import { chunks } from "../store/chunks.ts";
import { rowsOf } from "../store/run-batch.ts";
import { raiseRevisions, type ScopeRevision, selectRevision } from "../store/scope-revisions.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { requireChanges, selectDeletedIn, updateSecrets } from "../store/secret-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { verifyRows } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { writeWithinQuota } from "../transaction/write-within-quota.ts";
import type { ObjectNeeds, WrittenObject } from "./object.ts";
import { requireWhole } from "./require-whole.ts";
import { writtenObject } from "./write-object.ts";

/**
 * Brings back what was deleted at revisions of an object, in one transaction. A revision means one deletion at the most:
 *
 * 1. where the next revision was the last one that deleted all of the object at once, that: people delete an object and
 *    undelete the version that they had, because elsewhere a deletion makes no version;
 * 2. else what the revision itself deleted and is deleted still;
 * 3. else what the next revision deleted and is deleted still.
 *
 * What it means that can come back does, with its values and metadata, as `undeleteSecret` has it; where there is nothing,
 * nothing changes. All of it is refused where one of the names could not be set now. The grant has to cover every name that
 * would come back.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `too-many-secrets`, `name-locked`, `env-name-conflict`, `write-conflict`,
 *   `storage-unavailable`.
 */
export async function undeleteObject(needs: ObjectNeeds, caller: Caller, scope: Scope, versions: readonly number[]): Promise<WrittenObject> {
  caller.require("secrets:write", scope);
  requireRevisionsNamed(versions);
  const { db, now } = needs;
  return retryWhenChanged(async () => {
    const { state, deleted } = await findDeleted(needs, caller, scope, versions);
    const meant = deletionsMeant(versions, state?.emptied_revision ?? null, new Set(deleted.map((row) => row.deleted_revision ?? 0)));
    const back = deleted.filter((row) => meant.has(row.deleted_revision ?? 0) && (row.deleted_until ?? 0) > now.getTime());
    requireWhole(caller, back);
    const sealing = await allowSealing(needs);
    const writes = await Promise.all(back.map((row) => planUndeletion(sealing, row)));
    const rows = writes.map(({ row }) => row);
    const secrets = rows.map(({ id, name, version }) => ({ id, name, scope, version }));
    const statements = [
      ...raiseRevisions(db, rows, now.getTime()),
      ...chunks(rows).flatMap((some) => [updateSecrets(db, some), requireChanges(db, some.length)]),
    ];
    let results: readonly D1Result[] = [];
    await unlessTaken(needs, caller, writes, (guards) =>
      writeWithinQuota(needs, caller, { kept: [], made: Math.max(1, writes.length) }, async ({ before, after }) => {
        // What the last one selects is what the object is now.
        const all = [...guards, before, ...statements, after, selectRevision(db, { org: caller.org, scope })];
        results = await writeForCaller(needs, caller, all, { action: "secret.undelete", secrets, target: scope });
      }),
    );
    return writtenObject(needs, rowsOf<ScopeRevision>(results.at(-1))[0] ?? state, []);
  });
}

/** @throws {Problem} `invalid-request`. */
export function requireRevisionsNamed(versions: readonly number[]): void {
  if (versions.length === 0 || versions.length > MAX_REVISIONS_NAMED) throw invalid("/versions", `one to ${MAX_REVISIONS_NAMED} versions`);
  if (!versions.every((version) => Number.isSafeInteger(version) && version >= 1)) throw invalid("/versions", "a version is a whole number from 1 on");
}

/** Which revisions' deletions are meant by revisions: of each one at the most. */
export function deletionsMeant(versions: readonly number[], emptied: number | null, deletedAt: ReadonlySet<number>): Set<number> {
  return new Set(
    versions.flatMap((version) => {
      if (version + 1 === emptied) return [version + 1];
      return [version, version + 1].filter((revision) => deletedAt.has(revision)).slice(0, 1);
    }),
  );
}

async function findDeleted(needs: ObjectNeeds, caller: Caller, scope: Scope, versions: readonly number[]) {
  const { db, keyring } = needs;
  const candidates = [...new Set(versions.flatMap((version) => [version, version + 1]))];
  const [state, found] = await readForCaller(needs, caller, [
    selectRevision(db, { org: caller.org, scope }),
    selectDeletedIn(db, caller.org, scope, candidates, MAX_OBJECT_SECRETS + 1),
  ]);
  const rows = rowsOf<SecretRow>(found);
  if (rows.length > MAX_OBJECT_SECRETS)
    throw new Problem("too-many-secrets", `More than ${MAX_OBJECT_SECRETS} secrets were deleted then, which is too many to come back at once.`);
  return { state: rowsOf<ScopeRevision>(state)[0], deleted: await verifyRows(keyring, "secrets", rows) };
}
