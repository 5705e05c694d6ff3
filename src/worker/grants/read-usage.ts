import { QUOTA_NAMES, type Quota, type UsageBody, withQuotas } from "../../contract/quota.ts";
import type { Caller } from "../access/caller.ts";
import { selectUsage, type UsageRow, writesIn } from "../store/quota-rows.ts";
import { rowsOf } from "../store/run-batch.ts";
import { readForCaller, standingOf } from "../transaction/run-for-caller.ts";
import type { QuotaNeeds } from "../transaction/write-within-quota.ts";

/** How many events are counted at the most. */
const COUNTED = 10_000;

/**
 * What the caller's organization has, and may have. Of the events of the last minute up to 10,000 are counted.
 *
 * @throws {Problem} `forbidden`, `integrity-failed`, `storage-unavailable`.
 */
export async function readUsage(needs: QuotaNeeds, caller: Caller): Promise<UsageBody> {
  caller.require("secrets:read");
  const { db, now } = needs;
  const [found] = await readForCaller(needs, caller, [selectUsage(db, caller.org, now.getTime(), COUNTED)]);
  const [row] = rowsOf<Partial<UsageRow>>(found);
  const quotas = withQuotas(needs.quotas, (await standingOf(needs, caller)).quotas);
  const writes = row?.minute === undefined ? 0 : writesIn({ minute: row.minute, writes: row.writes ?? 0 }, now.getTime());
  const used = { ...row, writes_per_minute: writes, events_per_minute: row?.events };
  const usage = Object.fromEntries(QUOTA_NAMES.map((quota) => [quota, { used: used[quota] ?? 0, limit: quotas[quota] }])) as Record<
    Quota,
    { used: number; limit: number }
  >;
  return { org: caller.org, usage, earlier_versions: Math.max(0, usage.versions.used - usage.secrets.used), deleted_secrets: row?.deleted ?? 0 };
}
