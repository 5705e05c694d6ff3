import type { Action } from "../../contract/audit.ts";
import { INITIAL_METADATA } from "../../contract/secret-metadata.ts";
import type { Caller } from "../access/caller.ts";
import { chunks } from "../store/chunks.ts";
import { putCiphertext } from "../store/ciphertexts.ts";
import { markInKv } from "../store/inline-ciphertexts.ts";
import { KEPT_IN_KV } from "../store/kept-in-kv.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { type CurrentRow, insertSecrets, requireChanges, requireRevisions, secretRow, updateSecrets } from "../store/secret-rows.ts";
import { destroyVersions, insertVersions, type NewVersion, selectOldestKept, type VersionRange } from "../store/version-rows.ts";
import type { SealingKeyring } from "../transaction/allow-sealing.ts";
import { newId } from "../transaction/new-id.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { sealAgain, sealFor, type Verified } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { type Growth, type QuotaNeeds, QuotaProblem, writeWithinQuota } from "../transaction/write-within-quota.ts";
import { type Change, type ChangeOfValue, hasSameMetadata, type SecretValue } from "./change.ts";
import { adoptLegacy } from "./encrypt-legacy.ts";
import { holds } from "./holds.ts";
import type { ReadNeeds } from "./read-values.ts";
import { sealValue } from "./seal-value.ts";
import { NO_HOSTS, settleHosts } from "./settle-hosts.ts";
import { unlessTaken } from "./unless-taken.ts";

/** What a verb that writes needs. */
export interface WriteNeeds extends ReadNeeds, QuotaNeeds {
  /** How many versions of a secret are kept; older ones are destroyed. */
  readonly maxVersions: number;
  /** Whose `global` scope is above every other, or `null`. */
  readonly platformOrg: string | null;
  /** Lets work go on after the reply. */
  readonly defer: (work: Promise<unknown>) => void;
}

/** What planning and doing a write needs: a keyring that may seal. */
export type SealingNeeds = WriteNeeds & { readonly keyring: SealingKeyring };

/** A write of one secret that is planned and not done yet. */
export interface Write {
  /** The secret as it will be. */
  readonly row: SecretRow;
  readonly outcome: "created" | "updated" | "unchanged";
  /** A new value, if there is one. */
  readonly value: SecretValue | undefined;
  /** Whether a value was given, also one that it holds already: its name must not be locked. */
  readonly sets: boolean;
  /** Whether all versions before the new one are destroyed. */
  readonly destroysEarlier?: boolean;
}

/** Plans the creation of a secret. */
export async function planCreation(
  { keyring, now }: Pick<SealingNeeds, "keyring" | "now">,
  caller: Caller,
  target: { scope: string; name: string },
  change: ChangeOfValue,
): Promise<Write> {
  const at = now.getTime();
  const row: Omit<SecretRow, "seal"> = {
    id: newId("sec"),
    org: caller.org,
    ...target,
    version: 1,
    revision: 1,
    ...INITIAL_METADATA,
    ...change.metadata,
    ...settleHosts(caller, { ...target, ...NO_HOSTS }, change.metadata?.hosts, "another"),
    created_at: at,
    created_by: caller.subject,
    updated_at: at,
    updated_by: caller.subject,
    rotated_at: at,
    deleted_at: null,
    deleted_until: null,
    last_resolved_at: null,
    encoding: change.value.encoding,
    kind: "sealed",
  };
  return { row: { ...row, seal: await sealFor(keyring, "secrets", row) }, outcome: "created", value: change.value, sets: true };
}

/** Plans a change to a secret as it was found. The value that it holds already adds no version. */
export async function planChange(needs: SealingNeeds, caller: Caller, stored: Verified<CurrentRow>, change: Change): Promise<Write> {
  const current = await adoptLegacy(needs, stored);
  const found = secretRow(current);
  const sets = change.value !== undefined;
  const value = change.value && !(await holds(needs, current, change.value)) ? change.value : undefined;
  const hosts = settleHosts(caller, found, change.metadata?.hosts, value ? "another" : sets ? "the same" : "none");
  const changed = { ...found, ...change.metadata, ...hosts };
  if (!value && hasSameMetadata(changed, found) && changed.hosts_brought === found.hosts_brought)
    return { row: found, outcome: "unchanged", value: undefined, sets };
  const at = needs.now.getTime();
  const row: SecretRow = {
    ...changed,
    version: found.version + (value ? 1 : 0),
    revision: found.revision + 1,
    updated_at: at,
    updated_by: caller.subject,
    rotated_at: value ? at : found.rotated_at,
    encoding: value?.encoding ?? found.encoding,
    kind: value ? "sealed" : found.kind,
  };
  return { row: { ...row, seal: await sealAgain(needs.keyring, "secrets", current, row) }, outcome: "updated", value, sets };
}

/**
 * Does planned writes, all of them or none, in one transaction with their audit event. Then, after the reply, the
 * ciphertexts are put into KV.
 *
 * @throws {GuardError} `unchanged` when one of the secrets is not as it was found any more.
 * @throws {Problem} `name-locked`, `env-name-conflict`, `quota-exceeded`, `rate-limited`, `unauthenticated`, `storage-unavailable`.
 */
export async function writeSecrets(needs: SealingNeeds, caller: Caller, action: Action, writes: readonly Write[]): Promise<void> {
  const { db, now, maxVersions } = needs;
  const versions = await Promise.all(writes.flatMap(({ row, value }) => (value ? [sealVersion(needs, caller, row, value)] : [])));
  const unchanged = writes.filter(({ outcome }) => outcome === "unchanged").map(({ row }) => row);
  const changed = writes.filter(({ outcome }) => outcome !== "unchanged");
  // One that was deleted has a row already.
  const rows = changed.map(({ row }) => row);
  const created = rows.filter(({ revision }) => revision === 1);
  const updated = rows.filter(({ revision }) => revision !== 1);
  const superseded = changed.flatMap(({ row, value, destroysEarlier }) => {
    const to = destroysEarlier ? row.version - 1 : row.version - maxVersions;
    return value && to > 0 ? [{ secret_id: row.id, from: 1, to }] : [];
  });
  const named = writes.map(({ row: { id, name, scope, version } }) => ({ id, name, scope, version }));
  const statements = (destroyed: readonly VersionRange[]) => [
    ...chunks(created).flatMap((rows) => [insertSecrets(db, rows), requireChanges(db, rows.length)]),
    ...chunks(updated).flatMap((rows) => [updateSecrets(db, rows), requireChanges(db, rows.length)]),
    ...(unchanged.length > 0 ? [requireRevisions(db, unchanged)] : []),
    ...chunks(versions).map((rows) => insertVersions(db, rows)),
    ...(destroyed.length > 0 ? destroyVersions(db, destroyed, now.getTime() + KEPT_IN_KV) : []),
  ];
  const growth: Growth = {
    kept: [...(created.length > 0 ? (["secrets"] as const) : []), ...(versions.length > 0 ? (["versions", "bytes"] as const) : [])],
    made: writes.length,
  };
  await unlessTaken(needs, caller, writes, (guards) =>
    orInPlaceOfOldest(needs, caller, writes, (oldest) =>
      writeWithinQuota(needs, caller, growth, ({ before, after }) =>
        writeForCaller(needs, caller, [...guards, before, ...statements([...superseded, ...oldest]), after], { action, secrets: named }),
      ),
    ),
  );
  if (versions.length > 0) needs.defer(moveToKv(needs, versions));
}

/**
 * Does a write, and once more where it would be one version, or its bytes, too many: then the new values of secrets that are
 * there take the place of the oldest ones that these still have. Nobody has to wait for room to change what has leaked.
 */
async function orInPlaceOfOldest(
  needs: SealingNeeds,
  caller: Caller,
  writes: readonly Write[],
  write: (oldest: readonly VersionRange[]) => Promise<void>,
): Promise<void> {
  try {
    return await write([]);
  } catch (error) {
    if (!(error instanceof QuotaProblem && (error.quota === "versions" || error.quota === "bytes"))) throw error;
    const rotated = writes.filter(({ outcome, value }) => outcome === "updated" && value).map(({ row }) => row.id);
    const [found] = await readForCaller(needs, caller, [selectOldestKept(needs.db, rotated)]);
    const oldest = rowsOf<VersionRange>(found);
    if (oldest.length === 0) throw error;
    return write(oldest);
  }
}

async function sealVersion({ keyring, now }: SealingNeeds, caller: Caller, row: SecretRow, { bytes, encoding }: SecretValue): Promise<NewVersion> {
  const sealed = await sealValue(keyring, row, bytes);
  return { ...sealed, secret_id: row.id, org: row.org, version: row.version, encoding, created_at: now.getTime(), created_by: caller.subject };
}

async function moveToKv({ db, kv, now }: WriteNeeds, versions: readonly NewVersion[]): Promise<void> {
  await Promise.all(versions.map(({ kv_key, ciphertext }) => putCiphertext(kv, kv_key, ciphertext)));
  const keys = versions.map(({ kv_key }) => kv_key);
  await runBatch(db, [markInKv(db, keys, now.getTime())]);
}
