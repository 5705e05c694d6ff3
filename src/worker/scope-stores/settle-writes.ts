import { withQuotas } from "../../contract/quota.ts";
import type { Caller } from "../access/caller.ts";
import { createCaller } from "../access/caller.ts";
import { noteFailures } from "../store/integrity-rows.ts";
import { type QuotaRow, selectQuotas } from "../store/quota-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { deferWrite, type StoreWriteRow, selectDueWrites } from "../store/store-write-rows.ts";
import { SCHEDULED } from "../transaction/insert-own-event.ts";
import { newId } from "../transaction/new-id.ts";
import { ownQuotas } from "../transaction/own-quotas.ts";
import { IntegrityProblem, verifyRow } from "../transaction/verify-row.ts";
import type { PlaceNeeds } from "./place-needs.ts";
import { type Settled, settleWrite } from "./settle-write.ts";

type Needs = Omit<PlaceNeeds, "address" | "defer">;

/** How many one run asks about. */
const AT_ONCE = 20;
/** When a row that is not what was written is looked at again, in milliseconds. */
const BROKEN_AGAIN = 3_600_000;

/**
 * Finds out what stores have done of what was begun there and has not ended here, a few at the same time, and ends it. Returns how many
 * became what.
 *
 * @throws {AggregateError} when it failed for some; for the others it is done.
 */
export async function settleWrites(needs: Needs): Promise<Readonly<Record<string, number>>> {
  const { db, now } = needs;
  const failures: unknown[] = [];
  const [found] = await runBatch(db, [selectDueWrites(db, now.getTime(), AT_ONCE)]);
  const settled = await Promise.all(rowsOf<StoreWriteRow>(found).map((row) => settleOrNote(needs, row, failures)));
  if (failures.length > 0) throw new AggregateError(failures, "what was begun in stores could not be ended");
  return Object.fromEntries([...Map.groupBy(settled, (one) => one)].map(([became, some]) => [became, some.length]));
}

async function settleOrNote(needs: Needs, row: StoreWriteRow, failures: unknown[]): Promise<Settled | undefined> {
  const { db, now } = needs;
  const work: Promise<unknown>[] = [];
  try {
    const verified = await verifyRow(needs.keyring, "store_writes", row);
    const [found] = await runBatch(db, [selectQuotas(db, row.org)]);
    // Its own: with those of everybody a version too many would be destroyed, or a write given up that it may have.
    const quotas = withQuotas(needs.quotas, await ownQuotas(needs.keyring, rowsOf<QuotaRow>(found)[0]));
    return await settleWrite({ ...needs, quotas, address: "", defer: (one) => void work.push(one) }, scheduledCaller(row.org), verified);
  } catch (error) {
    failures.push(error);
    const broken = error instanceof IntegrityProblem ? [noteFailures(db, [error.row], now.getTime())] : [];
    await runBatch(db, [...broken, deferWrite(db, row.operation, now.getTime() + BROKEN_AGAIN)]);
    return undefined;
  } finally {
    await Promise.all(work);
  }
}

/** The scheduled run, as it writes in an organization what somebody there has begun. */
function scheduledCaller(org: string): Caller {
  return createCaller({
    org,
    subject: SCHEDULED,
    tokenId: null,
    lineage: null,
    permissions: new Set(["secrets:write"]),
    secretScopes: null,
    secretNames: null,
    services: null,
    expiresAt: null,
    verifiedUntil: null,
    leaseSeconds: 0,
    requestId: newId("req"),
    ip: null,
    userAgent: null,
  });
}
