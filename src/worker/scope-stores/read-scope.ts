import { Problem } from "../../contract/problem.ts";
import { sourceOfText } from "../../contract/source.ts";
import type { Caller } from "../access/caller.ts";
import { inlineCiphertexts, readValues } from "../secrets/read-values.ts";
import { rowsOf } from "../store/run-batch.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { type CurrentRow, selectCurrentsById, selectFirstSecrets } from "../store/secret-rows.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { verifyRows } from "../transaction/verify-row.ts";
import { isThere, type Place } from "./find-place.ts";
import type { PlaceNeeds } from "./place-needs.ts";

/** How many secrets of a scope are read, and of how many at once where their values are. */
const MOST = 10_000;
const AT_ONCE = 100;

/** A secret of a scope in a store. */
export interface KnownSecret {
  readonly name: string;
  readonly isDeleted: boolean;
  /** Whether it has its value from the scope's store, under its own key. */
  readonly isThere: boolean;
}

/**
 * The secrets of a scope in a store by name, deleted ones too.
 *
 * @throws {Problem} `too-many-secrets`, `integrity-failed`, `unauthenticated`, `storage-unavailable`.
 */
export async function readScope(needs: PlaceNeeds, caller: Caller, place: Place): Promise<ReadonlyMap<string, KnownSecret>> {
  const { db, keyring } = needs;
  const [found] = await readForCaller(needs, caller, [selectFirstSecrets(db, caller.org, place.bound.scope, MOST + 1, "all")]);
  const rows = await verifyRows(keyring, "secrets", rowsOf<SecretRow>(found));
  if (rows.length > MOST) throw new Problem("too-many-secrets", `The scope has more than ${MOST} secrets, which is too many to be compared with its store.`);
  const there = await findThere(
    needs,
    caller,
    place,
    rows.filter(({ encoding, deleted_at }) => encoding === "source" && deleted_at === null),
  );
  return new Map(rows.map(({ id, name, deleted_at }) => [name, { name, isDeleted: deleted_at !== null, isThere: there.has(id) }]));
}

/** The ids of the secrets that have their value from the scope's store. */
async function findThere(needs: PlaceNeeds, caller: Caller, place: Place, sourced: readonly SecretRow[]): Promise<ReadonlySet<string>> {
  const there = new Set<string>();
  for (let at = 0; at < sourced.length; at += AT_ONCE) {
    const ids = sourced.slice(at, at + AT_ONCE).map(({ id }) => id);
    const [found] = await readForCaller(needs, caller, [selectCurrentsById(needs.db, caller.org, ids)]);
    const rows = await inlineCiphertexts(needs.kv, await verifyRows(needs.keyring, "secrets", rowsOf<CurrentRow>(found)));
    const still = rows.filter(({ encoding }) => encoding === "source").map((row) => ({ ...row, binding: row }));
    for (const [row, value] of await readValues(needs, still)) {
      if (!(value instanceof Uint8Array)) throw value.problem;
      if (isThere(place, row.name, sourceOfText(new TextDecoder().decode(value)))) there.add(row.id);
    }
  }
  return there;
}
