import { signStatement } from "../access/sign-statement.ts";
import type { SigningKeys } from "../access/signing-keys.ts";
import { type OldStretch, removeStretch, selectOldStretches } from "../audit/checkpoints.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";

const DAY = 86_400_000;
/** How many stretches one run removes. */
const STRETCHES = 20;

/**
 * Removes events that are older than they are kept, in whole sealed stretches; their checkpoints stay, so that the
 * rest still verifies. Returns how many events were removed.
 */
export async function removeOldEvents({
  db,
  signingKeys,
  retentionDays,
  now,
}: {
  db: D1Database;
  signingKeys: SigningKeys;
  retentionDays: number;
  now: Date;
}): Promise<number> {
  const [found] = await runBatch(db, [selectOldStretches(db, now.getTime() - retentionDays * DAY, STRETCHES)]);
  const stretches = rowsOf<OldStretch>(found);
  for (const stretch of stretches) {
    const jws = await signStatement(signingKeys, "keyhole-retention", { org: stretch.org, removed_to: stretch.last_seq });
    await runBatch(db, removeStretch(db, stretch, jws));
  }
  return stretches.reduce((sum, { first_seq, last_seq }) => sum + last_seq - first_seq + 1, 0);
}
