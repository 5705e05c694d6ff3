import type { Caller } from "../access/caller.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { insertRevocations, type RevocationRow, selectCovering, selectLastRevocation } from "../store/revocation-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { requireTrusts, selectAllTrusts, type TrustRow } from "../store/trust-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { requireLatest } from "../transaction/last-revocation.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";
import { IntegrityProblem, sealFor, verifyRow } from "../transaction/verify-row.ts";
import { type Recorded, writeForCaller } from "../transaction/write-for-caller.ts";
import { type Revoked, withTrusts } from "./with-trusts.ts";

/** Revocations that are about to be written. */
export interface PlannedRevocations {
  readonly statements: D1PreparedStatement[];
  readonly rows: readonly RevocationRow[];
  /** The number of the last revocation once they are: so that this isolate misses them if they go. */
  readonly last: number;
}

/**
 * Writes planned revocations, before other statements of the same transaction, with their audit event.
 *
 * @throws {GuardError} when something was revoked meanwhile, or another guard stopped it.
 * @throws {Problem} `unauthenticated`, `storage-unavailable`.
 */
export async function writeRevocations(
  needs: CallerNeeds & { readonly now: Date },
  caller: Caller,
  { statements, last }: PlannedRevocations,
  others: readonly D1PreparedStatement[],
  recorded: Recorded,
): Promise<void> {
  await writeForCaller(needs, caller, [...statements, ...others], recorded);
  requireLatest(caller.org, last);
}

/** The statement whose result {@link planRevocations} takes. */
export const lastRevocation = selectLastRevocation;

/**
 * The statements that take something out of force, numbered after the last revocation that was read.
 *
 * @param last The result of {@link lastRevocation}.
 * @throws {Problem} `integrity-failed` when that is not what was written, `storage-unavailable`.
 */
export async function planRevocations(
  needs: { readonly db: D1Database; readonly keyring: Keyring; readonly now: Date },
  org: string,
  last: D1Result | undefined,
  revoked: readonly Revoked[],
): Promise<PlannedRevocations> {
  const { db, keyring, now } = await allowSealing(needs);
  const [found] = rowsOf<RevocationRow>(last);
  const after = found ? (await verifyRow(keyring, "revocations", found)).n : 0;
  const rows = revoked.map((each, i) => ({ org, n: after + 1 + i, ...each, at: now.getTime() }));
  const sealed = await Promise.all(rows.map(async (row) => ({ ...row, seal: await sealFor(keyring, "revocations", row) })));
  return { statements: insertRevocations(db, org, after, sealed), rows: sealed, last: after + rows.length };
}

/** The statements whose results {@link planEnd} takes. */
export function selectEnding(db: D1Database, org: string): D1PreparedStatement[] {
  return [lastRevocation(db, org), selectAllTrusts(db, org)];
}

/** Revocations that are about to be written, and those that are there already. */
export interface PlannedEnd extends PlannedRevocations {
  readonly covering: readonly RevocationRow[];
}

/**
 * {@link planRevocations} of something by which trusts may have been made: with it end what was exchanged under those. What
 * is revoked already is not revoked once more: revocations are kept for long, and every call goes by them.
 *
 * @param found The results of {@link selectEnding}.
 * @throws {Problem} `integrity-failed`, `storage-unavailable`.
 */
export async function planEnd(
  needs: CallerNeeds & { readonly now: Date },
  org: string,
  [last, trusts]: readonly (D1Result | undefined)[],
  revoked: readonly Revoked[],
): Promise<PlannedEnd> {
  const { db, keyring } = needs;
  const rows = rowsOf<TrustRow>(trusts);
  const wanted = withTrusts(revoked, await soundOf(keyring, "trusts", rows));
  const [found] = await runBatch(db, [selectCovering(db, org, wanted)]);
  const covering = await soundOf(keyring, "revocations", rowsOf<RevocationRow>(found));
  const fresh = wanted.filter((each) => !covering.some((row) => covers(row, each)));
  const planned = await planRevocations(needs, org, last, fresh);
  return { ...planned, statements: [requireTrusts(db, org, rows), ...planned.statements], covering };
}

/** Whether what is to be revoked is with a revocation. */
export function covers({ kind, value }: RevocationRow, revoked: Revoked): boolean {
  return kind === revoked.kind && (kind === "before" ? Number(value) >= Number(revoked.value) : value === revoked.value);
}

/**
 * Rows without those that are not what was written: of trusts nothing is exchanged under these, of revocations nothing is
 * left out for them, and a revocation does not wait for them.
 */
async function soundOf<Row extends { readonly seal: string | null }>(keyring: Keyring, table: "trusts" | "revocations", rows: readonly Row[]): Promise<Row[]> {
  const judged = await Promise.all(
    rows.map((row) =>
      verifyRow(keyring, table, row).catch((error: unknown) => {
        if (error instanceof IntegrityProblem) return null;
        throw error;
      }),
    ),
  );
  return judged.filter((row) => row !== null);
}
