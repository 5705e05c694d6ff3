import { keyOfName } from "../../contract/object-key.ts";
import { matchesAny } from "../../contract/pattern.ts";
import { Problem, problemOfErrors } from "../../contract/problem.ts";
import { envName, type SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import { type NewName, requireEnvNamesFree, selectNamesakes } from "../store/env-names.ts";
import { GuardError, rowsOf } from "../store/run-batch.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { verifyRows } from "../transaction/verify-row.ts";

/** A write, as far as it may make a variable. */
export interface Creating {
  readonly outcome: "created" | "updated" | "unchanged";
  /** Whether it was no variable before, and may be one. */
  readonly becomesVariable?: boolean;
  readonly row: NewName & Pick<SecretRow, "variable">;
}

/** A name that would be the second of its environment name, and the one that has it. */
interface Conflict {
  readonly wanted: NewName;
  readonly held: string;
}

/**
 * Runs a transaction with a guard that stops it where a variable that it makes would share its environment name with
 * another one of its scope. What is never a variable shares none. Which one is only read where the guard found something:
 * then it is verified, and named.
 *
 * @throws {GuardError} `unchanged` when the other one is gone again.
 * @throws {Problem} `env-name-conflict`, `integrity-failed`, `storage-unavailable`, and what `run` throws.
 */
export async function unlessShared<T>(
  needs: CallerNeeds,
  caller: Caller,
  writes: readonly Creating[],
  run: (guards: readonly D1PreparedStatement[]) => Promise<T>,
): Promise<T> {
  const claimed = writes.filter(({ outcome, becomesVariable, row }) => row.variable === 1 && (outcome === "created" || becomesVariable)).map(({ row }) => row);
  if (claimed.length === 0) return run([]);
  const amongThem = conflictsAmong(claimed);
  if (amongThem.length > 0) throw envNameConflict(caller, [...amongThem, ...(await conflictsHeld(needs, caller, claimed))]);
  try {
    return await run([requireEnvNamesFree(needs.db, claimed)]);
  } catch (error) {
    if (!(error instanceof GuardError && error.guard === "env_name_free")) throw error;
    const conflicts = await conflictsHeld(needs, caller, claimed);
    if (conflicts.length === 0) throw new GuardError("unchanged");
    throw envNameConflict(caller, conflicts);
  }
}

/** The names of one write that become the variable of an earlier one of it. */
function conflictsAmong(claimed: readonly NewName[]): Conflict[] {
  const first = new Map<string, string>();
  return claimed.flatMap((wanted) => {
    const key = keyOf(wanted);
    const held = first.get(key);
    if (held === undefined) first.set(key, wanted.name);
    return held === undefined ? [] : [{ wanted, held }];
  });
}

/** The names whose variable a secret has that is there. */
async function conflictsHeld(needs: CallerNeeds, caller: Caller, claimed: readonly NewName[]): Promise<Conflict[]> {
  const [found] = await readForCaller(needs, caller, [selectNamesakes(needs.db, claimed)]);
  const namesakes = await verifyRows(needs.keyring, "secrets", rowsOf<SecretRow>(found));
  const held = new Map(namesakes.map((row) => [keyOf(row), row.name]));
  return claimed.flatMap((wanted) => {
    const name = held.get(keyOf(wanted));
    return name === undefined ? [] : [{ wanted, held: name }];
  });
}

function keyOf({ scope, name }: Pick<NewName, "scope" | "name">): string {
  return `${scope} ${envName(name as SecretName)}`;
}

function envNameConflict(caller: Caller, conflicts: readonly Conflict[]): Problem {
  const errors = conflicts.map((conflict) => ({ pointer: `/secrets/${conflict.wanted.name}`, detail: describe(caller, conflict) }));
  const [only, another] = errors;
  if (only && !another) return new Problem("env-name-conflict", `${only.detail}.`, { members: { errors } });
  return problemOfErrors("env-name-conflict", errors, ". Nothing was stored.");
}

/** A name that is outside the grant is not told. */
function describe({ secretNames }: Caller, { wanted: { scope, name }, held }: Conflict): string {
  const holder = matchesAny(secretNames, held) ? keyOfName(held) : "another secret";
  return `${keyOfName(name)} would be the variable ${envName(name as SecretName)}, which ${holder} is already in ${scope}`;
}
