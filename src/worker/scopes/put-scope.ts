import { invalid, Problem } from "../../contract/problem.ts";
import { MAX_DEPTH, type Scope } from "../../contract/scope.ts";
import { mayContain } from "../../contract/scope-tree.ts";
import type { Caller } from "../access/caller.ts";
import { GuardError, rowsOf } from "../store/run-batch.ts";
import { linkScope, requireTree, type ScopeRow, selectScope } from "../store/scope-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { verifyLink } from "../transaction/verify-link.ts";
import { sealFor } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { type QuotaNeeds, writeWithinQuota } from "../transaction/write-within-quota.ts";
import { requireEveryName } from "./require-every-name.ts";

export type { ScopeRow };

/**
 * Puts a scope under another one, which is then searched after it.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `scope-cycle`, `quota-exceeded`, `rate-limited`, `storage-unavailable`.
 */
export async function putScope(needs: QuotaNeeds, caller: Caller, scope: Scope, parent: Scope): Promise<Omit<ScopeRow, "seal">> {
  caller.require("secrets:write", [scope, parent]);
  requireEveryName(caller);
  if (scope === parent) throw cycle();
  if (!mayContain(parent, scope)) throw invalid("/parent", "a parent is of the same kind as the scope, or of a wider one; global has none");
  const { db, keyring } = await allowSealing(needs);
  const [found] = await readForCaller(needs, caller, [selectScope(db, caller.org, scope)]);
  const [before] = rowsOf<ScopeRow>(found);
  if (before) await verifyLink(keyring, before);
  const link = { org: caller.org, scope, parent };
  try {
    const statements = [linkScope(db, { ...link, seal: await sealFor(keyring, "scopes", link) }), requireTree(db, caller.org, scope)];
    const recorded = { action: "scope.put", secrets: [], target: `${scope} under ${parent}` } as const;
    await writeWithinQuota(needs, caller, { kept: ["scopes"], made: 1 }, ({ before, after }) =>
      writeForCaller(needs, caller, [before, ...statements, after], recorded),
    );
    return { ...link, secrets: before?.secrets ?? 0 };
  } catch (error) {
    if (error instanceof GuardError && error.guard === "scope_tree") throw cycle(error);
    throw error;
  }
}

function cycle(cause?: unknown): Problem {
  return new Problem("scope-cycle", `A scope cannot be above itself, and has at most ${MAX_DEPTH} parents above it.`, { cause });
}
