import type { Carried, RefusedRow } from "../../contract/backup.ts";
import { storageUnavailable } from "../../contract/problem.ts";
import type { ArchiveRow } from "../audit/archives.ts";
import type { Binding } from "../envelope/binding.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { KeyMissingError, OpenError, open } from "../envelope/open.ts";
import { selectOwners, type VersionOwner } from "../store/restore-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { SEALED_TABLE_NAMES } from "../store/sealed-tables.ts";
import { IntegrityProblem, verifyRow } from "../transaction/verify-row.ts";
import { OBJECT } from "./with-ciphertexts.ts";

interface Needs {
  readonly db: D1Database;
  readonly keyring: Keyring;
}

/** What is taken of a page, and what is not. What is taken without its ciphertext is in both. */
export interface Judged {
  readonly taken: readonly Carried[];
  readonly refused: readonly RefusedRow[];
}

/** Why a row is not taken, or that it is taken without its value. */
type Verdict = RefusedRow["reason"] | null;
/** The secrets that versions are of: those that are here, and those that this page brings. */
type Owners = ReadonlyMap<string, VersionOwner>;

/**
 * Judges the rows of a page, each by itself: one that decides by its seal, a value and an archive by opening it. What is opened is
 * not kept.
 *
 * @throws {Problem} `storage-unavailable` when something is under a key that is not in the keyring here: it can be judged once it is.
 */
export async function judgeCarried(needs: Needs, carried: readonly Carried[]): Promise<Judged> {
  const owners = await ownersOf(needs, carried);
  const verdicts = await Promise.all(carried.map((one) => judge(needs.keyring, owners, one)));
  const isTaken = (verdict: Verdict | undefined) => verdict === null || verdict === "no-ciphertext";
  return {
    taken: carried.filter((_, n) => isTaken(verdicts[n])),
    refused: carried.flatMap(({ table, key }, n) => (verdicts[n] ? [{ table, key, reason: verdicts[n] }] : [])),
  };
}

async function ownersOf({ db }: Needs, carried: readonly Carried[]): Promise<Owners> {
  const ids = [...new Set(carried.filter(({ table, row }) => table === "versions" && row).map(({ key }) => String(key[0])))];
  if (ids.length === 0) return new Map();
  const [found] = await runBatch(db, [selectOwners(db, ids)]);
  const brought = carried.filter(({ table }) => table === "secrets").flatMap(({ row }) => (row ? [row as unknown as VersionOwner] : []));
  return new Map([...rowsOf<VersionOwner>(found), ...brought].map((owner) => [owner.id, owner]));
}

async function judge(keyring: Keyring, owners: Owners, { table, row }: Carried): Promise<Verdict> {
  if (row === null) return null;
  const sealed = SEALED_TABLE_NAMES.find((name) => name === table);
  if (sealed) {
    try {
      await verifyRow(keyring, sealed, { seal: null, ...row });
    } catch (error) {
      if (error instanceof IntegrityProblem) return "seal";
      throw error;
    }
  }
  if (table === "versions") return judgeValue(keyring, owners.get(String(row.secret_id)), row);
  return table === "audit_archives" ? judgeArchive(keyring, row) : null;
}

async function judgeValue(keyring: Keyring, owner: VersionOwner | undefined, row: NonNullable<Carried["row"]>): Promise<Verdict> {
  // Its secret was refused, or comes later and brings it again: there is no place for it.
  if (owner === undefined || row.wrapped_key === null) return null;
  if (row.ciphertext === null) return "no-ciphertext";
  const binding = {
    org: owner.org,
    scope: owner.scope,
    name: owner.name,
    version: row.version,
    id: owner.id,
    encoding: row.is_source === 1 ? "source" : row.is_json === 1 ? "json" : row.encoding,
  } as Binding;
  return (await opens(keyring, binding, row, row.ciphertext)) ? null : "value";
}

async function judgeArchive(keyring: Keyring, row: NonNullable<Carried["row"]>): Promise<Verdict> {
  const object = row[OBJECT] ?? null;
  return object !== null && (await opens(keyring, row as unknown as ArchiveRow, row, object)) ? null : "archive";
}

async function opens(keyring: Keyring, binding: Binding | ArchiveRow, row: NonNullable<Carried["row"]>, ciphertext: unknown): Promise<boolean> {
  try {
    await open(keyring, binding, { ciphertext: String(ciphertext), wrappedKey: String(row.wrapped_key), keyId: String(row.key_id) });
    return true;
  } catch (error) {
    if (error instanceof OpenError) return false;
    if (error instanceof KeyMissingError) throw storageUnavailable(`Something is under the key ${error.keyId}, which is not in the keyring here.`, error);
    throw error;
  }
}
