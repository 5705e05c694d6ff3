import { Problem } from "../../contract/problem.ts";
import type { Encoding } from "../../contract/secret.ts";
import type { Caller } from "../access/caller.ts";
import { insertEvent } from "../audit/insert-event.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { seal } from "../envelope/seal.ts";
import { putCiphertext } from "../store/ciphertexts.ts";
import { runBatch } from "../store/run-batch.ts";
import { insertSecret, requireChange, type SecretRow, type StoredValue, updateSecret } from "../store/secret-rows.ts";
import { insertVersion, markInKv, type NewVersion } from "../store/version-rows.ts";
import { newId } from "./new-id.ts";
import { readValues } from "./read-values.ts";
import { runForCaller } from "./run-for-caller.ts";

/** What a verb that writes needs. */
export interface WriteNeeds {
  readonly db: D1Database;
  readonly kv: KVNamespace;
  readonly keyring: Keyring;
  readonly now: Date;
  /** Lets work go on after the reply. */
  readonly defer: (work: Promise<unknown>) => void;
}

/** A value, decoded. */
export interface Value {
  readonly bytes: Uint8Array;
  readonly encoding: Encoding;
}

/** What a write changes. An absent field stays as it is; `null` clears it. */
export interface Change {
  readonly value?: Value | undefined;
  readonly description?: string | null | undefined;
  readonly labels?: Record<string, string> | undefined;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number | null | undefined;
  readonly rotateAfterDays?: number | null | undefined;
}

/** A secret with its current value, as a write finds it. */
export type CurrentSecret = SecretRow & StoredValue;

/** What a write left behind. */
export interface Written {
  readonly row: SecretRow;
  readonly created: boolean;
  readonly changed: boolean;
}

/**
 * Creates the secret with a first version.
 *
 * @throws {GuardError} `unchanged` when the name has been taken meanwhile.
 */
export async function createRow(
  needs: WriteNeeds,
  caller: Caller,
  target: { scope: string; name: string },
  change: Change & { value: Value },
): Promise<Written> {
  const at = needs.now.getTime();
  const row: SecretRow = {
    id: newId("sec"),
    org: caller.org,
    ...target,
    version: 1,
    revision: 1,
    ...described(change),
    created_at: at,
    created_by: caller.subject,
    updated_at: at,
    updated_by: caller.subject,
    rotated_at: at,
    last_resolved_at: null,
    encoding: change.value.encoding,
  };
  const version = await sealVersion(needs, caller, row, change.value);
  await runForCaller(needs.db, caller, [
    insertSecret(needs.db, row),
    requireChange(needs.db),
    insertVersion(needs.db, version),
    writeEvent(needs, caller, "secret.create", row),
  ]);
  needs.defer(moveToKv(needs, version));
  return { row, created: true, changed: true };
}

/**
 * Applies a change to a secret that is still as it was found. The value it holds already adds no version.
 *
 * @throws {GuardError} `unchanged` when it has been changed meanwhile.
 */
export async function changeRow(needs: WriteNeeds, caller: Caller, current: CurrentSecret, change: Change): Promise<Written> {
  const value = change.value && !(await holds(needs, current, change.value)) ? change.value : undefined;
  const { key_id, wrapped_key, ciphertext, kv_key, ...found } = current;
  const fields = described(change, current);
  if (!value && sameDescription(fields, current)) {
    await runForCaller(needs.db, caller, [writeEvent(needs, caller, "secret.update", found)]);
    return { row: found, created: false, changed: false };
  }
  const at = needs.now.getTime();
  const row: SecretRow = {
    ...found,
    ...fields,
    version: value ? found.version + 1 : found.version,
    revision: found.revision + 1,
    updated_at: at,
    updated_by: caller.subject,
    rotated_at: value ? at : found.rotated_at,
    encoding: value?.encoding ?? found.encoding,
  };
  await update(needs, caller, row, value);
  return { row, created: false, changed: true };
}

async function update(needs: WriteNeeds, caller: Caller, row: SecretRow, value: Value | undefined): Promise<void> {
  const version = value && (await sealVersion(needs, caller, row, value));
  await runForCaller(needs.db, caller, [
    updateSecret(needs.db, row),
    requireChange(needs.db),
    ...(version ? [insertVersion(needs.db, version)] : []),
    writeEvent(needs, caller, "secret.update", row),
  ]);
  if (version) needs.defer(moveToKv(needs, version));
}

async function sealVersion(needs: WriteNeeds, caller: Caller, row: SecretRow, { bytes, encoding }: Value): Promise<NewVersion> {
  const { ciphertext, wrappedKey, keyId } = await seal(needs.keyring, row, bytes);
  return {
    secret_id: row.id,
    version: row.version,
    encoding,
    key_id: keyId,
    wrapped_key: wrappedKey,
    ciphertext,
    // Random and never used before: nobody can have read it, so no location has cached its absence.
    kv_key: newId("c"),
    created_at: needs.now.getTime(),
    created_by: caller.subject,
  };
}

async function moveToKv({ db, kv, now }: WriteNeeds, { kv_key, ciphertext }: NewVersion): Promise<void> {
  await putCiphertext(kv, kv_key, ciphertext);
  await runBatch(db, [markInKv(db, [kv_key], now.getTime())]);
}

function writeEvent({ db, now }: WriteNeeds, caller: Caller, action: "secret.create" | "secret.update", row: SecretRow): D1PreparedStatement {
  const { id, name, scope, version } = row;
  return insertEvent(db, { actor: caller, action, outcome: "allowed", at: now }, [{ id, name, scope, version }]);
}

type Described = Pick<SecretRow, "description" | "labels" | "expires_at" | "rotate_after_days">;

function described(change: Change, current?: Described): Described {
  return {
    description: kept(change.description, current?.description),
    labels: change.labels ? canonicalJson(change.labels) : (current?.labels ?? "{}"),
    expires_at: kept(change.expiresAt, current?.expires_at),
    rotate_after_days: kept(change.rotateAfterDays, current?.rotate_after_days),
  };
}

function kept<T>(given: T | null | undefined, current: T | null | undefined): T | null {
  return given === undefined ? (current ?? null) : given;
}

function sameDescription(a: Described, b: Described): boolean {
  return a.description === b.description && a.labels === b.labels && a.expires_at === b.expires_at && a.rotate_after_days === b.rotate_after_days;
}

function canonicalJson(labels: Record<string, string>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** Whether a secret's current value is this one already. */
async function holds(needs: WriteNeeds, current: CurrentSecret, { bytes, encoding }: Value): Promise<boolean> {
  if (current.encoding !== encoding) return false;
  const held = await readCurrent(needs, current);
  if (!held) return false;
  const [a, b] = await Promise.all([crypto.subtle.digest("SHA-256", held), crypto.subtle.digest("SHA-256", bytes)]);
  return crypto.subtle.timingSafeEqual(a, b);
}

/** The current value, or `undefined` when it cannot be read now: that must not keep anyone from replacing it. */
async function readCurrent(needs: WriteNeeds, current: CurrentSecret): Promise<Uint8Array | undefined> {
  try {
    const [held] = await readValues(needs, [{ ...current, binding: current }]);
    return held;
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}
