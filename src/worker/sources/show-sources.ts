import { type KeptSource, sourceOfText } from "../../contract/source.ts";
import type { Caller } from "../access/caller.ts";
import { type ReadNeeds, readValues } from "../secrets/read-values.ts";
import { rowsOf } from "../store/run-batch.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { type CurrentRow, selectCurrentsById } from "../store/secret-rows.ts";
import type { StoredValue } from "../store/version-columns.ts";
import { selectSourcedVersions, type VersionRow } from "../store/version-rows.ts";
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

/** The store's own ids of those versions of a secret that name one, by version. Of one that cannot be read now there is none. */
export async function storeVersionsOf(
  needs: CallerNeeds & ReadNeeds,
  caller: Caller,
  secret: SecretRow,
  versions: readonly VersionRow[],
): Promise<ReadonlyMap<number, string>> {
  const sourced = versions.filter(({ is_source }) => is_source === 1).map(({ version }) => version);
  if (sourced.length === 0) return new Map();
  const [found] = await readForCaller(needs, caller, [selectSourcedVersions(needs.db, secret, sourced)]);
  const { org, scope, name, id } = secret;
  const read = await readValues(
    needs,
    rowsOf<StoredValue & { readonly version: number }>(found).map((row) => {
      return { ...row, encoding: "source" as const, binding: { org, scope, name, version: row.version, id, encoding: "source" as const } };
    }),
  );
  return new Map(
    read.flatMap(([{ version }, value]) => {
      const source = value instanceof Uint8Array ? sourceOfText(new TextDecoder().decode(value)) : undefined;
      const id = source?.written ?? source?.version;
      return id === undefined ? [] : [[version, id] as const];
    }),
  );
}
