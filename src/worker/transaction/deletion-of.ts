import { chunks } from "../store/chunks.ts";
import { KEPT_IN_KV } from "../store/kept-in-kv.ts";
import { raiseRevisions } from "../store/scope-revisions.ts";
import { requireNoStore } from "../store/scope-store-rows.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { deleteSecretRows, requireChanges, requireRevisions, updateSecrets } from "../store/secret-rows.ts";
import { noteRemovals } from "../store/version-rows.ts";
import { allowSealing } from "./allow-sealing.ts";
import { deletedUntil, markDeleted } from "./mark-deleted.ts";
import type { CallerNeeds } from "./run-for-caller.ts";
import type { Verified } from "./verify-row.ts";

/** What deleting needs. */
export type DeletionNeeds = CallerNeeds & {
  readonly now: Date;
  /** For how many days what is deleted can come back. */
  readonly recoveryDays: number;
};

/** The statements of a deletion, and until when what it deletes can come back, in milliseconds since 1970; `null` where it is gone for good. */
export interface Deletion {
  readonly statements: D1PreparedStatement[];
  readonly until: number | null;
}

/**
 * Makes the statements that delete secrets as they were found; the guard `unchanged` stops them where one is not. The revision
 * of their scope is raised by whoever puts them into a transaction, before them.
 *
 * @param purge Whether they go for good, whatever the deployment says of what is deleted.
 * @param there Whether they are deleted in the store of their scope, or have their values from elsewhere. Otherwise a secret that may be in
 *   its scope's store is not deleted here alone: the guard `scope_in_store` stops that.
 * @throws {Problem} `storage-unavailable`.
 */
export async function deletionOf(needs: DeletionNeeds, rows: readonly Verified<SecretRow>[], purge = false, there = false): Promise<Deletion> {
  const { db, now, recoveryDays } = needs;
  const sourced = there ? [] : rows.filter(({ encoding, deleted_at }) => encoding === "source" && deleted_at === null);
  const outside = [...Map.groupBy(sourced, ({ org }) => org)].map(([org, own]) =>
    requireNoStore(
      db,
      org,
      own.map(({ scope }) => scope),
    ),
  );
  if (purge || recoveryDays === 0) {
    const ids = rows.map(({ id }) => id);
    const removeAt = now.getTime() + (purge ? 0 : KEPT_IN_KV);
    return { statements: [...outside, requireRevisions(db, rows), noteRemovals(db, ids, removeAt), deleteSecretRows(db, ids)], until: null };
  }
  const { keyring } = await allowSealing(needs);
  const deleted = await markDeleted({ keyring, now }, rows, deletedUntil(needs));
  const statements = chunks(deleted).flatMap((some) => [updateSecrets(db, some), requireChanges(db, some.length)]);
  return { statements: [...outside, ...statements], until: deleted[0]?.deleted_until ?? null };
}

/** {@link deletionOf}, as a write by itself: it raises the revision of their scope. */
export async function raisingDeletionOf(needs: DeletionNeeds, rows: readonly Verified<SecretRow>[], purge = false, there = false): Promise<Deletion> {
  const { statements, until } = await deletionOf(needs, rows, purge, there);
  return { statements: [...raiseRevisions(needs.db, rows, needs.now.getTime()), ...statements], until };
}
