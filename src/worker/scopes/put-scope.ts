import { invalid, Problem } from "../../contract/problem.ts";
import { MAX_DEPTH, type Scope } from "../../contract/scope.ts";
import { mayContain } from "../../contract/scope-tree.ts";
import type { Caller } from "../access/caller.ts";
import { insertEvent } from "../audit/insert-event.ts";
import { GuardError, rowsOf } from "../store/run-batch.ts";
import { linkScope, requireTree, type ScopeRow } from "../store/scope-rows.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import { requireEveryName } from "./require-every-name.ts";

export type { ScopeRow };

/**
 * Puts a scope under another one, which is then searched after it.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `scope-cycle`, `storage-unavailable`.
 */
export async function putScope({ db, now }: { db: D1Database; now: Date }, caller: Caller, scope: Scope, parent: Scope): Promise<ScopeRow> {
  caller.require("secrets:write", [scope, parent]);
  requireEveryName(caller);
  if (scope === parent) throw cycle();
  if (!mayContain(parent, scope)) throw invalid("/parent", "a parent is of the same kind as the scope, or of a wider one; global has none");
  try {
    const [linked] = await runForCaller(db, caller, [
      linkScope(db, caller.org, scope, parent),
      requireTree(db, caller.org, scope),
      insertEvent(db, { actor: caller, action: "scope.put", outcome: "allowed", at: now, target: `${scope} under ${parent}` }, []),
    ]);
    const [row] = rowsOf<ScopeRow>(linked);
    if (!row) throw new Error("a scope was linked and not returned");
    return row;
  } catch (error) {
    if (error instanceof GuardError && error.guard === "scope_tree") throw cycle(error);
    throw error;
  }
}

function cycle(cause?: unknown): Problem {
  return new Problem("scope-cycle", `A scope cannot be above itself, and has at most ${MAX_DEPTH} parents above it.`, { cause });
}
