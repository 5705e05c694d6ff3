import type { Keyring } from "../envelope/keyring.ts";
import { mayBeMore, type Shared } from "../store/fair-select.ts";
import { noteFailures } from "../store/integrity-rows.ts";
import { KEPT_IN_KV } from "../store/kept-in-kv.ts";
import { GuardError, rowsOf, runBatch } from "../store/run-batch.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { deleteSecretRows, requireRevisions, selectOver, selectSecretsById } from "../store/secret-rows.ts";
import { noteRemovals } from "../store/version-rows.ts";
import { insertOwnEvent } from "../transaction/insert-own-event.ts";
import { brokenRow, IntegrityProblem, type Verified, verifyRow } from "../transaction/verify-row.ts";
import { type BatchNeeds, workInBatches } from "../transaction/work-in-batches.ts";

/** How many secrets one batch takes, of all organizations, and of how many of these: each is a transaction of its own. */
const BATCH = 100;
const ORGS = 10;
const MINUTE = 60_000;

interface Needs extends BatchNeeds {
  readonly keyring: Keyring;
}

/**
 * Purges deleted secrets that cannot come back any more: rows and wrapped keys go, the copies in KV when D1 cannot be
 * restored to a time at which they were needed. Each is verified before: a row that somebody has made look deleted stays.
 * Organizations take turns; returns how many went.
 *
 * @throws {AggregateError} when it failed for some organizations; for the others it is done.
 */
export async function purgeDeleted(needs: Needs): Promise<number> {
  const { db, now, budget } = needs;
  let purged = 0;
  const failures = new Map<string, unknown>();
  let turn = Math.floor(now.getTime() / MINUTE);
  await workInBatches(budget, async () => {
    const [found] = await runBatch(db, [selectOver(db, { now: now.getTime(), turn: turn++ }, BATCH)]);
    const over = rowsOf<Shared & { readonly id: string }>(found);
    if (over.length === 0) return false;
    const orgs = new Set([...new Set(over.map(({ org }) => org))].filter((org) => !failures.has(org)).slice(0, ORGS));
    const some = over.filter(({ org }) => orgs.has(org));
    const ids = some.map(({ id }) => id);
    const [selected] = await runBatch(db, [selectSecretsById(db, ids)]);
    const rows = await verifiedOf(needs, rowsOf<SecretRow>(selected));
    let gone = 0;
    for (const [org, own] of Map.groupBy(rows, (row) => row.org)) gone += await purgeOrNote(needs, org, own, failures);
    purged += gone;
    return gone > 0 && (mayBeMore(over) || some.length < over.length);
  });
  if (failures.size > 0) throw new AggregateError(failures.values(), "deleted secrets could not be purged");
  return purged;
}

/** What fails for one organization keeps no other one waiting. */
async function purgeOrNote(needs: Needs, org: string, rows: readonly Verified<SecretRow>[], failures: Map<string, unknown>): Promise<number> {
  try {
    return await purge(needs, org, rows);
  } catch (error) {
    failures.set(org, error);
    return 0;
  }
}

/** Those that are what was written, and over by that; the others are noted, and stay out of the next batches. */
async function verifiedOf({ db, keyring, now }: Needs, rows: readonly SecretRow[]): Promise<Verified<SecretRow>[]> {
  const results = await Promise.allSettled(rows.map((row) => verifyRow(keyring, "secrets", row)));
  const broken = rows.filter((_, n) => results[n]?.status === "rejected" && results[n].reason instanceof IntegrityProblem);
  if (broken.length > 0)
    await runBatch(db, [
      noteFailures(
        db,
        broken.map((row) => brokenRow("secrets", row)),
        now.getTime(),
      ),
    ]);
  const good = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  return good.filter(({ deleted_until }) => deleted_until !== null && deleted_until <= now.getTime());
}

async function purge({ db, now }: Needs, org: string, rows: readonly Verified<SecretRow>[]): Promise<number> {
  const ids = rows.map(({ id }) => id);
  const named = rows.map(({ id, name, scope, version }) => ({ id, name, scope, version }));
  try {
    await runBatch(db, [
      requireRevisions(db, rows),
      noteRemovals(db, ids, now.getTime() + KEPT_IN_KV),
      deleteSecretRows(db, ids),
      insertOwnEvent(db, org, "secret.purge", null, now, "allowed", named),
    ]);
    return rows.length;
  } catch (error) {
    // Somebody has set one of the names meanwhile.
    if (error instanceof GuardError) return 0;
    throw error;
  }
}
