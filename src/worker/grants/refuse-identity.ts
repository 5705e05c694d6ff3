import type { Quotas } from "../../contract/quota.ts";
import { givenSecrets, insertEvent } from "../audit/insert-event.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import type { TrustRow } from "../store/trust-rows.ts";
import { noEventLeft, unlessRefusalsUsedUp } from "../transaction/event-quota.ts";
import { ExchangeError } from "./exchange-error.ts";

/** What refusing an identity needs. */
export interface RefuseNeeds {
  readonly db: D1Database;
  readonly now: Date;
  readonly quotas: Quotas;
  /** Where the request comes from, for the audit log. */
  readonly origin: { readonly requestId: string; readonly ip: string | null; readonly userAgent: string | null };
}

/**
 * Refuses a workload that is who it says, and gets nothing all the same: that is a denied attempt for the record.
 *
 * @throws {ExchangeError} unless it throws a problem.
 * @throws {Problem} `rate-limited` when no refusal can be put on record any more in this minute, `storage-unavailable`.
 */
export async function refuseIdentity(
  { db, now, origin, quotas }: RefuseNeeds,
  { org, name, issuer }: TrustRow,
  subject: string,
  refusal: "scope-not-given" | "identity-used",
): Promise<never> {
  const actor = { org, subject, tokenId: null, lineage: { issuer }, ...origin };
  const unless = unlessRefusalsUsedUp(org, quotas, now);
  const [written] = await runBatch(db, [
    insertEvent(db, { actor, action: "token.exchange", outcome: "denied", at: now, target: name }, givenSecrets([], unless)),
  ]);
  // Nothing is answered off the record.
  if (rowsOf(written).length === 0) throw noEventLeft();
  throw new ExchangeError(refusal);
}
