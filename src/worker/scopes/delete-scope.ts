import { Problem } from "../../contract/problem.ts";
import type { Scope } from "../../contract/scope.ts";
import type { Caller } from "../access/caller.ts";
import { insertEvent } from "../audit/insert-event.ts";
import { rowsOf } from "../store/run-batch.ts";
import { deleteFirstSecrets, firstSecrets, type ScopeRow, selectScope, unlinkScope } from "../store/scope-rows.ts";
import { type CallerNeeds, readForCaller, runForCaller } from "../transaction/run-for-caller.ts";
import { verifyLink } from "../transaction/verify-link.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { requireEveryName } from "./require-every-name.ts";

/** How many secrets one call deletes. */
const BATCH = 200;

type Needs = CallerNeeds & { readonly now: Date };

/**
 * Removes a scope's parent. Its secrets stay.
 *
 * @throws {Problem} `forbidden`, `scope-not-found`, `storage-unavailable`.
 */
export async function deleteScope(needs: Needs, caller: Caller, scope: Scope): Promise<void> {
  caller.require("secrets:write", scope);
  requireEveryName(caller);
  const row = await findScope(needs, caller, scope);
  if (row?.parent === undefined || row.parent === null) throw scopeNotFound(scope);
  await unlink(needs, caller, scope);
}

/**
 * Deletes some of a scope's secrets, by name, in one transaction; with the last ones the scope's link goes too. So a
 * scope of any size is deleted by repeating the call.
 *
 * @throws {Problem} `forbidden`, `scope-not-found`, `storage-unavailable`.
 */
export async function deleteScopeSecrets(needs: Needs, caller: Caller, scope: Scope): Promise<{ deleted: number; remaining: number }> {
  caller.require("secrets:write", scope);
  if (caller.secretNames !== null) throw caller.refuse("secrets:write", "The token's grant covers some names only; delete those one by one.");
  const { db, now } = needs;
  const before = await findScope(needs, caller, scope);
  if (!before) throw scopeNotFound(scope);
  const first = { org: caller.org, scope, limit: BATCH };
  const event = { actor: caller, action: "secret.delete", outcome: "allowed", at: now, target: scope } as const;
  const [recorded, , , after] = await runForCaller(needs, caller, [
    insertEvent(db, event, firstSecrets(first)),
    ...deleteFirstSecrets(db, first, now.getTime()),
    selectScope(db, caller.org, scope),
  ]);
  const [{ secrets } = { secrets: "[]" }] = rowsOf<{ secrets: string }>(recorded);
  const remaining = rowsOf<ScopeRow>(after)[0]?.secrets ?? 0;
  if (remaining === 0 && before.parent !== null) await unlink(needs, caller, scope);
  return { deleted: (JSON.parse(secrets) as unknown[]).length, remaining };
}

async function unlink(needs: Needs, caller: Caller, scope: Scope): Promise<void> {
  await writeForCaller(needs, caller, unlinkScope(needs.db, caller.org, scope), { action: "scope.delete", secrets: [], target: scope });
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
