import { jsonPointer } from "../../contract/json-pointer.ts";
import { keyOfName } from "../../contract/object-key.ts";
import { Problem, problemOfErrors } from "../../contract/problem.ts";
import type { Scope } from "../../contract/scope.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import type { SecretValue } from "../secrets/change.ts";
import { isSame } from "../secrets/is-same.ts";
import { inlineCiphertexts, readValues } from "../secrets/read-values.ts";
import type { SourcedValue, SourceReader } from "../secrets/sources.ts";
import { isExpired } from "../secrets/write-secrets.ts";
import { GuardError, rowsOf } from "../store/run-batch.ts";
import { requireNoStore } from "../store/scope-store-rows.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { type CurrentRow, selectCurrents } from "../store/secret-rows.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { type Verified, verifyRows } from "../transaction/verify-row.ts";
import { problemOfGuard } from "../transaction/write-for-caller.ts";
import type { ObjectNeeds } from "./object.ts";

/** What keeping sources needs. */
export type KeepNeeds = ObjectNeeds & { readonly sources: SourceReader };

/** How many current rows are read at once: as many as KV reads in one operation. */
const READ_AT_ONCE = 100;

/**
 * What is given of a whole object, where secrets with a source that are given what their store has are given their source: whoever reads an
 * object, changes one key and writes it again does not make copies of what lives elsewhere. Another value for one is refused:
 * it may be an earlier one of the store's.
 *
 * @param rows The object as it was found.
 * @throws {Problem} `scope-in-store`, `invalid-request` for the keys that are given another value, `store-unavailable`, `integrity-failed`, `storage-unavailable`.
 */
export async function keepSources(
  needs: KeepNeeds,
  caller: Caller,
  scope: Scope,
  rows: readonly Verified<SecretRow>[],
  given: ReadonlyMap<SecretName, SecretValue>,
): Promise<ReadonlyMap<SecretName, SecretValue>> {
  const sourced = rows.filter(({ name, encoding }) => encoding === "source" && given.has(name as SecretName));
  if (sourced.length === 0) return given;
  await requireNotInStore(needs, caller, scope);
  // No read shows what has expired: what is given for it was not read.
  const shown = sourced.filter((row) => !isExpired(row, needs.now)).map(({ name }) => name as SecretName);
  const places = await readPlaces(needs, caller, scope, shown);
  const values = await needs.sources.read(
    caller,
    places.map(({ bytes }) => ({ org: caller.org, scope, bytes })),
  );
  const kept = new Map(given);
  const others = new Set(sourced.map(({ name }) => name as SecretName));
  for (const [n, { name, bytes }] of places.entries()) {
    const value = values[n];
    if (!value || "problem" in value) throw value?.problem ?? new Error("the value of a secret with a source was not read");
    if (!(await isWhatIsShown(value, given.get(name)))) continue;
    kept.set(name, { bytes, encoding: "source", samePlace: true });
    others.delete(name);
  }
  if (others.size > 0) throw notTheStores(scope, [...others]);
  return kept;
}

/** Of an object that cannot be written because its scope is in a store nothing is read. */
async function requireNotInStore(needs: KeepNeeds, caller: Caller, scope: Scope): Promise<void> {
  try {
    await readForCaller(needs, caller, [requireNoStore(needs.db, caller.org, [scope])]);
  } catch (error) {
    throw error instanceof GuardError ? (problemOfGuard(error) ?? error) : error;
  }
}

interface PlaceOfSecret {
  readonly name: SecretName;
  /** Where its value is, as it is kept. */
  readonly bytes: Uint8Array;
}

async function readPlaces(needs: KeepNeeds, caller: Caller, scope: Scope, names: readonly SecretName[]): Promise<PlaceOfSecret[]> {
  const places: PlaceOfSecret[] = [];
  for (let at = 0; at < names.length; at += READ_AT_ONCE) {
    const some = names.slice(at, at + READ_AT_ONCE);
    const [found] = await readForCaller(needs, caller, [selectCurrents(needs.db, caller.org, scope, some)]);
    const rows = await inlineCiphertexts(needs.kv, await verifyRows(needs.keyring, "secrets", rowsOf<CurrentRow>(found)));
    const sourced = rows.filter(({ encoding }) => encoding === "source").map((row) => ({ ...row, binding: row }));
    for (const [{ name }, bytes] of await readValues(needs, sourced)) {
      if (!(bytes instanceof Uint8Array)) throw bytes.problem;
      places.push({ name: name as SecretName, bytes });
    }
  }
  return places;
}

/** Whether a text is the one by which a read of the object shows a value of a store. */
async function isWhatIsShown({ bytes, encoding }: SourcedValue, given: SecretValue | undefined): Promise<boolean> {
  if (given?.encoding !== "utf8") return false;
  return isSame(encoding === "utf8" ? bytes : new TextEncoder().encode(bytes.toBase64()), given.bytes);
}

/** It says something of what the store has, to a caller who may not be allowed to read it: so that is on record. */
function notTheStores(scope: Scope, names: readonly SecretName[]): Problem {
  const detail = "it has its value from a store, and this is not what a read shows of it: change it there, or give it a value of its own with PATCH";
  const errors = names.map((name) => ({ pointer: jsonPointer(["data", keyOfName(name)]), detail }));
  const { code, message, members } = problemOfErrors("invalid-request", errors, " Nothing was stored.");
  return new Problem(code, message, { members, about: names.map((name) => ({ scope, name })) });
}
