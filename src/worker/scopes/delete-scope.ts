import { Problem } from "../../contract/problem.ts";
import type { Scope } from "../../contract/scope.ts";
import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { requireLink, type ScopeRow, selectScope, unlinkScope } from "../store/scope-rows.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { deleteSecretRows, requireRevisions, selectFirstSecrets } from "../store/secret-rows.ts";
import { noteRemovals } from "../store/version-rows.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { verifyLink } from "../transaction/verify-link.ts";
import { verifyRows } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { requireEveryName } from "./require-every-name.ts";

/** How many secrets one call reads, verifies and deletes. */
const BATCH = 200;

type Needs = CallerNeeds & { readonly now: Date };

/**
 * Removes a scope's parent. Its secrets stay.
 *
 * @throws {Problem} `forbidden`, `scope-not-found`, `integrity-failed`, `storage-unavailable`.
 */
export async function deleteScope(needs: Needs, caller: Caller, scope: Scope): Promise<void> {
  caller.require("secrets:write", scope);
  requireEveryName(caller);
  if (!(await unlink(needs, caller, scope))) throw scopeNotFound(scope);
}

/**
 * Deletes some of a scope's secrets, by name, in one transaction; with the last ones the scope's link goes too. So a
 * scope of any size is deleted by repeating the call.
 *
 * @throws {Problem} `forbidden`, `scope-not-found`, `integrity-failed`, `storage-unavailable`.
 */
export async function deleteScopeSecrets(needs: Needs, caller: Caller, scope: Scope): Promise<{ deleted: number; remaining: number }> {
  caller.require("secrets:write", scope);
  if (caller.secretNames !== null) throw caller.refuse("secrets:write", "The token's grant covers some names only; delete those one by one.");
  const { scope: found, deleted, remaining } = await retryWhenChanged(() => deleteFirst(needs, caller, scope));
  if (remaining === 0 && found.parent !== null) await unlink(needs, caller, scope);
  return { deleted, remaining };
}

/** Deletes the first secrets of a scope, if each of them and the scope are what was written. */
async function deleteFirst(needs: Needs, caller: Caller, scope: Scope): Promise<{ scope: ScopeRow; deleted: number; remaining: number }> {
  const { db, keyring, now } = needs;
  const [links, secrets] = await readForCaller(needs, caller, [selectScope(db, caller.org, scope), selectFirstSecrets(db, caller.org, scope, BATCH + 1)]);
  const [row] = rowsOf<ScopeRow>(links);
  if (!row) throw scopeNotFound(scope);
  await verifyLink(keyring, row);
  const found = rowsOf<SecretRow>(secrets);
  const first = await verifyRows(keyring, "secrets", found.slice(0, BATCH));
  const ids = first.map(({ id }) => id);
  const named = first.map(({ id, name, version }) => ({ id, name, scope, version }));
  await writeForCaller(needs, caller, [requireRevisions(db, first), noteRemovals(db, ids, now.getTime()), deleteSecretRows(db, ids)], {
    action: "secret.delete",
    secrets: named,
    target: scope,
  });
  // The scope's count is not sealed: that there are more is what was seen of them.
  return { scope: row, deleted: ids.length, remaining: found.length > BATCH ? Math.max(1, row.secrets - BATCH) : 0 };
}

/** Removes a scope's parent, if it has one and that is what was written. */
function unlink(needs: Needs, caller: Caller, scope: Scope): Promise<boolean> {
  return retryWhenChanged(async () => {
    const row = await findScope(needs, caller, scope);
    if (!row || row.parent === null) return false;
    const statements = [requireLink(needs.db, row), ...unlinkScope(needs.db, caller.org, scope)];
    await writeForCaller(needs, caller, statements, { action: "scope.delete", secrets: [], target: scope });
    return true;
  });
}

async function findScope({ db, keyring }: Needs, caller: Caller, scope: Scope): Promise<ScopeRow | undefined> {
  const [found] = await readForCaller({ db, keyring }, caller, [selectScope(db, caller.org, scope)]);
  const [row] = rowsOf<ScopeRow>(found);
  if (row) await verifyLink(keyring, row);
  return row;
}

function scopeNotFound(scope: Scope): Problem {
  return new Problem("scope-not-found", `The scope ${scope} is not declared.`);
}
