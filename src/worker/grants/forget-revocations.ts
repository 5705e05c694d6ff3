import type { Keyring } from "../envelope/keyring.ts";
import { deleteRevocations, floorValue, REVOCATION_KEPT, type RevocationRow, selectFirstRevocations, selectOldRevocations } from "../store/revocation-rows.ts";
import { GuardError, rowsOf, runBatch } from "../store/run-batch.ts";
import { insertOwnEvent } from "../transaction/insert-own-event.ts";
import { IntegrityProblem, verifyRows } from "../transaction/verify-row.ts";
import { type BatchNeeds, workInBatches } from "../transaction/work-in-batches.ts";
import { lastRevocation, planRevocations } from "./plan-revocation.ts";

/** How many organizations one batch comes to, and how many revocations of each. */
const ORGS = 10;
const ROWS = 100;

interface Needs extends BatchNeeds {
  readonly keyring: Keyring;
}

/**
 * Forgets revocations of tokens that have expired long since, from the low end. What could still matter among them, the
 * revisions of a trust above all, is revoked once more, with new numbers; a floor says from which number on they are kept.
 * The last one always stays. Organizations take turns; returns how many went.
 */
export async function forgetRevocations(needs: Needs): Promise<number> {
  const { db, now, budget } = needs;
  const rested = new Set<string>();
  let forgotten = 0;
  await workInBatches(budget, async () => {
    const [found] = await runBatch(db, [selectOldRevocations(db, now.getTime(), [...rested], ORGS)]);
    const orgs = rowsOf<{ org: string }>(found).map(({ org }) => org);
    for (const org of orgs) {
      const gone = await forgetOf(needs, org).catch(ofAnother);
      forgotten += gone;
      if (gone < ROWS) rested.add(org);
    }
    return orgs.length === ORGS || orgs.some((org) => !rested.has(org));
  });
  return forgotten;
}

/** Somebody revoked something meanwhile, or a row is not what was written, which the look at rows reports: it is left for now. */
function ofAnother(error: unknown): number {
  if (error instanceof GuardError || error instanceof IntegrityProblem) return 0;
  throw error;
}

async function forgetOf(needs: Needs, org: string): Promise<number> {
  const { db, keyring, now } = needs;
  const [found, last] = await runBatch(db, [selectFirstRevocations(db, org, ROWS + 1), lastRevocation(db, org)]);
  const rows = await verifyRows(keyring, "revocations", rowsOf<RevocationRow>(found));
  const old = rows.slice(0, -1);
  const young = old.findIndex(({ at }) => at >= now.getTime() - REVOCATION_KEPT);
  const gone = young === -1 ? old : old.slice(0, young);
  const lowest = rows[gone.length]?.n;
  if (gone.length === 0 || lowest === undefined) return 0;
  const carried = gone.filter((row) => !isOver(row)).map(({ kind, value }) => ({ kind, value }));
  const floor = { kind: "floor", value: floorValue({ lowest, after: null }) } as const;
  const { statements } = await planRevocations(needs, org, last, [...carried, floor]);
  const removed = insertOwnEvent(db, org, "audit.retention", `revocations:${gone[0]?.n}:${lowest - 1}`, now);
  await runBatch(db, [...statements, deleteRevocations(db, org, lowest), removed]);
  return gone.length;
}

/** Whether nothing depends on a revocation once it is old. What other issuers sign may live for as long as they say. */
function isOver({ kind, value }: RevocationRow): boolean {
  return kind === "floor" || (kind === "id" && !value.startsWith("["));
}
