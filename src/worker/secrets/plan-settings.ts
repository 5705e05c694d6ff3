import type { Scope } from "../../contract/scope.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type CurrentRow, selectCurrents } from "../store/secret-rows.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { type Verified, verifyRows } from "../transaction/verify-row.ts";
import type { ChangeOfValue } from "./change.ts";
import { inlineCiphertexts } from "./read-values.ts";
import { planSetting } from "./set-secret.ts";
import type { SealingNeeds, Write } from "./write-secrets.ts";

/** How many current values are read at once, to compare with: as many as KV reads in one operation. */
const READ_AT_ONCE = 100;

/** Where all are set, and whether the earlier versions of what was deleted come back, too. */
export interface Settings {
  readonly scope: Scope;
  readonly undelete: boolean;
}

/** A secret to be set, as it was found; `undefined` where none has the name. */
export interface FoundSetting<Given> {
  readonly name: SecretName;
  readonly kept: Verified<CurrentRow> | undefined;
  readonly given: Given;
}

/**
 * Plans to set many secrets of one scope, each as `setSecret` would.
 *
 * @param changeOf What is given of one, by what was found.
 */
export async function planSettings<Given>(
  needs: SealingNeeds,
  caller: Caller,
  { scope, undelete }: Settings,
  given: ReadonlyMap<SecretName, Given>,
  changeOf: (found: FoundSetting<Given>) => ChangeOfValue | Promise<ChangeOfValue>,
): Promise<Write[]> {
  const writes: Write[] = [];
  const entries = [...given];
  for (let at = 0; at < entries.length; at += READ_AT_ONCE) {
    const some = entries.slice(at, at + READ_AT_ONCE);
    const names = some.map(([name]) => name);
    const [found] = await readForCaller(needs, caller, [selectCurrents(needs.db, caller.org, scope, names)]);
    const rows = await inlineCiphertexts(needs.kv, await verifyRows(needs.keyring, "secrets", rowsOf<CurrentRow>(found)));
    const current = new Map<string, Verified<CurrentRow>>(rows.map((row) => [row.name, row]));
    const plan = async ([name, value]: [SecretName, Given]) => {
      const kept = current.get(name);
      return planSetting(needs, caller, { scope, name }, { kept, change: await changeOf({ name, kept, given: value }), undelete });
    };
    writes.push(...(await Promise.all(some.map(plan))));
  }
  return writes;
}
