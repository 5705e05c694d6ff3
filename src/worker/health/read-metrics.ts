import { ACTIONS, OUTCOMES } from "../../contract/actions.ts";
import type { MetricName, MetricSample } from "../../contract/metrics.ts";
import { QUOTA_NAMES, withQuotas } from "../../contract/quota.ts";
import type { Caller } from "../access/caller.ts";
import { REFUSALS } from "../access/refusal.ts";
import { type EventCount, selectEventCounts } from "../audit/event-counts.ts";
import { type OrgGauges, selectOrgGauges } from "../store/org-gauges.ts";
import { selectKept, type UsageRow, writesIn } from "../store/quota-rows.ts";
import { rowsOf } from "../store/run-batch.ts";
import { readForCaller, standingOf } from "../transaction/run-for-caller.ts";
import type { QuotaNeeds } from "../transaction/write-within-quota.ts";

/**
 * The numbers of the caller's organization: what is counted of its log, what it has and may have, what is due, waits or is in
 * doubt. It reads a row for each kind of event that there ever was, and few others.
 *
 * @throws {Problem} `forbidden`, `unauthenticated`, `integrity-failed`, `storage-unavailable`.
 */
export async function readMetrics(needs: QuotaNeeds, caller: Caller): Promise<MetricSample[]> {
  caller.require("metrics:read");
  const { db, now } = needs;
  const at = now.getTime();
  const [counts, usage, gauges] = await readForCaller(needs, caller, [
    selectEventCounts(db, caller.org),
    selectKept(db, caller.org),
    selectOrgGauges(db, caller.org, at),
  ]);
  const quotas = withQuotas(needs.quotas, (await standingOf(needs, caller)).quotas);
  const [kept] = rowsOf<Omit<UsageRow, "events" | "deleted">>(usage);
  const used = { ...kept, writes_per_minute: kept && writesIn(kept, at) };
  return [
    ...countsOf(rowsOf<EventCount>(counts)),
    ...QUOTA_NAMES.filter((quota) => quota !== "events_per_minute").map((quota) => sample("keyhole_usage", used[quota] ?? 0, { quota })),
    ...QUOTA_NAMES.map((quota) => sample("keyhole_quota", quotas[quota], { quota })),
    ...gaugesOf(rowsOf<OrgGauges>(gauges)[0]),
    ...timeOf("keyhole_token_expiry_timestamp_seconds", caller.expiresAt),
  ];
}

/** One number, with its labels. */
export function sample(name: MetricName, value: number, labels: Readonly<Record<string, string>> = {}): MetricSample {
  return { name, labels, value };
}

const isOf = (list: readonly string[]) => (text: string) => list.includes(text);
const isAction = isOf(ACTIONS);
const isOutcome = isOf(OUTCOMES);
const isRefusal = isOf(REFUSALS);

/** What has another action or outcome than there are was not written here, and is no label. */
function countsOf(counts: readonly EventCount[]): MetricSample[] {
  const others = counts.filter(({ kind, action }) => kind === "refused" && !isRefusal(action)).reduce((sum, { n }) => sum + n, 0);
  const uses = counts.find(({ kind }) => kind === "uses")?.n ?? 0;
  return [
    ...counts
      .filter(({ kind, action, outcome }) => kind === "events" && isAction(action) && isOutcome(outcome))
      .map(({ action, outcome, n }) => sample("keyhole_events", n, { action, outcome })),
    ...(["secret.resolve", "secret.use"] as const).map((action) =>
      sample("keyhole_leases_opened", counts.find((one) => one.kind === "leases" && one.action === action)?.n ?? 0, { action }),
    ),
    sample("keyhole_lease_uses", uses),
    ...counts
      .filter(({ kind, action }) => kind === "refused" && isRefusal(action))
      .map(({ action, n }) => sample("keyhole_tokens_refused", n, { reason: action })),
    sample("keyhole_tokens_refused", others, { reason: "others" }),
  ];
}

function gaugesOf(found: OrgGauges | undefined): MetricSample[] {
  if (!found) throw new Error("the organization was not counted");
  return [
    sample("keyhole_secrets_due", found.rotation, { due: "rotation" }),
    sample("keyhole_secrets_due", found.expiry, { due: "expiry" }),
    ...timeOf("keyhole_next_due_timestamp_seconds", found.next_rotation, { due: "rotation" }),
    ...timeOf("keyhole_next_due_timestamp_seconds", found.next_expiry, { due: "expiry" }),
    sample("keyhole_log_waiting", found.unsealed, { job: "sealed" }),
    sample("keyhole_log_waiting", found.undigested, { job: "digested" }),
    sample("keyhole_integrity_doubts", found.broken_rows, { about: "rows" }),
    sample("keyhole_integrity_doubts", found.lost_values, { about: "values" }),
    sample("keyhole_integrity_doubts", found.failed_logs, { about: "logs" }),
  ];
}

/** A time, where there is one. */
function timeOf(name: MetricName, at: number | null, labels: Readonly<Record<string, string>> = {}): MetricSample[] {
  return at === null ? [] : [sample(name, at / 1_000, labels)];
}
