import { type KeptSource, sourceOfText } from "../../contract/source.ts";
import type { Caller } from "../access/caller.ts";
import { type ReadNeeds, readValues } from "../secrets/read-values.ts";
import { rowsOf } from "../store/run-batch.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { type CurrentRow, selectCurrentsById } from "../store/secret-rows.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { verifyRows } from "../transaction/verify-row.ts";

/** The sources of those secrets that have one, by id. Of one that cannot be read now there is none. */
export async function sourcesOf(needs: CallerNeeds & ReadNeeds, caller: Caller, secrets: readonly SecretRow[]): Promise<ReadonlyMap<string, KeptSource>> {
  const sourced = secrets.filter(({ encoding }) => encoding === "source");
  if (sourced.length === 0) return new Map();
  const ids = sourced.map(({ id }) => id);
  const [found] = await readForCaller(needs, caller, [selectCurrentsById(needs.db, caller.org, ids)]);
  const rows = await verifyRows(needs.keyring, "secrets", rowsOf<CurrentRow>(found));
  // One that has had a value of its own set meanwhile is not opened.
  const still = rows.filter(({ encoding }) => encoding === "source");
  const read = await readValues(
    needs,
    still.map((row) => ({ ...row, binding: { org: row.org, scope: row.scope, name: row.name, version: row.version, id: row.id, encoding: row.encoding } })),
  );
  return new Map(
    read.flatMap(([{ id }, value]) => {
      const source = value instanceof Uint8Array ? sourceOfText(new TextDecoder().decode(value)) : undefined;
      return source ? [[id, source] as const] : [];
    }),
  );
}
