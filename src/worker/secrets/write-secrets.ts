import type { Action } from "../../contract/audit.ts";
import type { Scope } from "../../contract/scope.ts";
import { INITIAL_METADATA, METADATA_NAMES } from "../../contract/secret-metadata.ts";
import type { Caller } from "../access/caller.ts";
import { insertEvent } from "../audit/insert-event.ts";
import { chunks } from "../store/chunks.ts";
import { putCiphertext } from "../store/ciphertexts.ts";
import { markInKv } from "../store/inline-ciphertexts.ts";
import { KEPT_IN_KV } from "../store/kept-in-kv.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { raiseRevisions, type ScopeRevision, selectRevision } from "../store/scope-revisions.ts";
import { requireNoStore } from "../store/scope-store-rows.ts";
import { decidingColumns } from "../store/sealed-tables.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { type CurrentRow, insertSecrets, requireChanges, requireRevisions, secretRow, updateSecrets } from "../store/secret-rows.ts";
import { destroyVersions, insertVersions, type NewVersion, selectOldestKept, type VersionRange } from "../store/version-rows.ts";
import type { SealingKeyring } from "../transaction/allow-sealing.ts";
import { deletionOf } from "../transaction/deletion-of.ts";
import { newId } from "../transaction/new-id.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { sealAgain, sealFor, type Verified } from "../transaction/verify-row.ts";
import { type Recorded, writeForCaller } from "../transaction/write-for-caller.ts";
import { type Growth, type QuotaNeeds, QuotaProblem, writeWithinQuota } from "../transaction/write-within-quota.ts";
import { type Change, type ChangeOfValue, hasSameMetadata, type SecretValue } from "./change.ts";
import { adoptLegacy } from "./encrypt-legacy.ts";
import { holds } from "./holds.ts";
import type { ReadNeeds } from "./read-values.ts";
import { sealValue } from "./seal-value.ts";
import { broughtBy, NO_HOSTS, settleHosts } from "./settle-hosts.ts";
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
  /** Whether it changes what the secret gives, or to whom: not its description. Then its scope has another revision. */
  readonly decides: boolean;
  /** Whether all versions before the new one are destroyed. */
  readonly destroysEarlier?: boolean;
  /** Whether it was no variable before, and may be one. */
  readonly becomesVariable?: boolean;
  /** Whether it had expired, and has no expiry any more. */
  readonly endsExpiry?: boolean;
}

/** What is done in the transaction of writes beside them, in a scope that is written as one object. */
export interface Beside {
  readonly scope: Scope;
  /** Stop the transaction where the scope is not as it has to be. */
  readonly guards: readonly D1PreparedStatement[];
  /** What is deleted, before anything is set: so what is set may have an environment name that is given up. */
  readonly deleted: readonly Verified<SecretRow>[];
  /** Whether nothing is left then. */
  readonly empties: boolean;
  readonly recoveryDays: number;
}

/** What is done in the transaction of writes for the store of their scope. */
export interface Outside {
  /** The statements that end what was begun there, or that stop the transaction where the scope is not as it has to be. */
  readonly statements: readonly D1PreparedStatement[];
  /** What the event says beside the secrets. */
  readonly target?: string;
}

/** The columns of the metadata that decide. */
const DECIDING_METADATA = METADATA_NAMES.filter((name) => decidingColumns("secrets").includes(name));

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
    ...settleHosts(caller, { ...target, ...NO_HOSTS }, change.metadata?.hosts, broughtBy(change.value.encoding, true)),
    created_at: at,
    created_by: caller.subject,
    updated_at: at,
    updated_by: caller.subject,
    rotated_at: at,
    deleted_at: null,
    deleted_until: null,
    deleted_revision: null,
    last_resolved_at: null,
    encoding: change.value.encoding,
    kind: "sealed",
  };
  return { row: { ...row, seal: await sealFor(keyring, "secrets", row) }, outcome: "created", value: change.value, sets: true, decides: true };
}

/** Plans a change to a secret as it was found. The value that it holds already adds no version. */
export async function planChange(needs: SealingNeeds, caller: Caller, stored: Verified<CurrentRow>, change: Change): Promise<Write> {
  const current = await adoptLegacy(needs, stored);
  const found = secretRow(current);
  const sets = change.value !== undefined;
  const value = change.value && !(await holds(needs, current, change.value)) ? change.value : undefined;
  const hosts = settleHosts(caller, found, change.metadata?.hosts, broughtBy(change.value?.encoding, value !== undefined && change.value?.samePlace !== true));
  const endsExpiry = change.endsExpiry === true && isExpired(found, needs.now);
  const changed = { ...found, ...(endsExpiry && { expires_at: null }), ...change.metadata, ...hosts };
  if (!value && hasSameMetadata(changed, found) && changed.hosts_brought === found.hosts_brought)
    return { row: found, outcome: "unchanged", value: undefined, sets, decides: false };
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
  const decides = value !== undefined || DECIDING_METADATA.some((name) => changed[name] !== found[name]);
  const becomesVariable = row.variable === 1 && found.variable === 0;
  return {
    row: { ...row, seal: await sealAgain(needs.keyring, "secrets", current, row) },
    outcome: "updated",
    value,
    sets,
    decides,
    becomesVariable,
    endsExpiry,
  };
}

/** Whether a secret is not released any more because its time is over. */
export function isExpired({ expires_at }: Pick<SecretRow, "expires_at">, now: Date): boolean {
  return expires_at !== null && expires_at <= now.getTime();
}

/**
 * Does planned writes, all of them or none, in one transaction with their audit event, and raises the revision of their
 * scope with them, once. Then, after the reply, the ciphertexts are put into KV.
 *
 * @param beside What else the transaction does. What it deletes has an event of its own.
 * @param outside What the transaction does for the scope's store. Without it no value is written into a scope that is in one.
 * @returns The scope that is written as one object, as it is in this transaction; `undefined` where it never was written, there
 *   is no such scope, or the transaction has happened without an answer.
 * @throws {GuardError} `unchanged` when one of the secrets is not as it was found any more, and those of `beside`.
 * @throws {Problem} `scope-in-store`, `name-locked`, `env-name-conflict`, `quota-exceeded`, `rate-limited`, `write-conflict`, `unauthenticated`,
 *   `storage-unavailable`.
 */
export async function writeSecrets(
  needs: SealingNeeds,
  caller: Caller,
  action: Action,
  writes: readonly Write[],
  beside?: Beside,
  outside: Outside = { statements: unlessInStore(needs, caller, action, writes) },
): Promise<ScopeRevision | undefined> {
  const { db, now, maxVersions } = needs;
  const versions = await Promise.all(writes.flatMap(({ row, value }) => (value ? [sealVersion(needs, row, value)] : [])));
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
  const first = await firstStatements(needs, writes, beside);
  // Its result is the last one.
  const last = beside ? [selectRevision(db, { org: caller.org, scope: beside.scope })] : [];
  const recorded = eventsOf(action, writes, beside, outside.target);
  const others = recorded.slice(0, -1).map((event) => insertEvent(db, { actor: caller, outcome: "allowed", at: now, ...event }, event.secrets));
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
  let results: readonly D1Result[] = [];
  await unlessTaken(needs, caller, writes, (guards) =>
    orInPlaceOfOldest(needs, caller, writes, (oldest) =>
      writeWithinQuota(needs, caller, growth, async ({ before, after }) => {
        const all = [...outside.statements, ...first, ...guards, before, ...statements([...superseded, ...oldest]), after, ...others, ...last];
        results = await writeForCaller(needs, caller, all, recorded.at(-1) as Recorded);
      }),
    ),
  );
  if (versions.length > 0) needs.defer(moveToKv(needs, versions));
  return beside && rowsOf<ScopeRevision>(results.at(-1))[0];
}

/** The guard that keeps values of their own out of a scope in a store: there, they would be kept here. What a rollback brings back may be there. */
function unlessInStore({ db }: SealingNeeds, { org }: Caller, action: Action, writes: readonly Write[]): D1PreparedStatement[] {
  const own = writes.filter(({ sets, row }) => sets && (row.encoding !== "source" || action === "secret.rollback"));
  return own.length === 0
    ? []
    : [
        requireNoStore(
          db,
          org,
          own.map(({ row }) => row.scope),
        ),
      ];
}

/** What comes before all guards of names: the revision, of which everything after it is, and what is deleted. */
async function firstStatements(needs: SealingNeeds, writes: readonly Write[], beside: Beside | undefined): Promise<D1PreparedStatement[]> {
  const { db, now } = needs;
  const deciding = writes.filter(({ decides }) => decides).map(({ row }) => row);
  const raised = raiseRevisions(db, [...deciding, ...(beside?.deleted ?? [])], now.getTime(), beside?.empties);
  if (!beside || beside.deleted.length === 0) return [...(beside?.guards ?? []), ...raised];
  const { statements } = await deletionOf({ ...needs, recoveryDays: beside.recoveryDays }, beside.deleted);
  return [...beside.guards, ...raised, ...statements];
}

/** The events of a transaction: of what is deleted, and of what is set, which comes last where there is any. An event says one thing of all that it names. */
function eventsOf(action: Action, writes: readonly Write[], beside: Beside | undefined, about: string | undefined): Recorded[] {
  const said = beside?.scope ?? about;
  const target = said === undefined ? {} : { target: said };
  const deleted = (beside?.deleted ?? []).map(nameOf);
  const set = { action, secrets: writes.map(({ row }) => nameOf(row)), ...target };
  if (deleted.length === 0) return [set];
  return [{ action: "secret.delete", secrets: deleted, ...target }, ...(writes.length > 0 ? [set] : [])];
}

function nameOf({ id, name, scope, version }: SecretRow) {
  return { id, name, scope, version };
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

/** Whoever gives a secret a value has changed it: the version is theirs, also where scheduled work ends what they began. */
async function sealVersion({ keyring, now }: SealingNeeds, row: SecretRow, { bytes, encoding }: SecretValue): Promise<NewVersion> {
  const sealed = await sealValue(keyring, row, bytes);
  return { ...sealed, secret_id: row.id, org: row.org, version: row.version, encoding, created_at: now.getTime(), created_by: row.updated_by };
}

async function moveToKv({ db, kv, now }: WriteNeeds, versions: readonly NewVersion[]): Promise<void> {
  await Promise.all(versions.map(({ kv_key, ciphertext }) => putCiphertext(kv, kv_key, ciphertext)));
  const keys = versions.map(({ kv_key }) => kv_key);
  await runBatch(db, [markInKv(db, keys, now.getTime())]);
}
