import type { Backlog } from "../../contract/backlog.ts";
import type { Integrity } from "../../contract/integrity.ts";
import type { MetricSample } from "../../contract/metrics.ts";
import { sample } from "./read-metrics.ts";

/** What `/readyz` says with `keys:read`, as numbers. A number that is not known is no sample. */
export function deploymentMetrics({ backlog, integrity }: { readonly backlog: Backlog; readonly integrity: Integrity }): MetricSample[] {
  const { scheduled, database_bytes, database_days_left, ...doubts } = backlog;
  const jobs = Object.entries(scheduled);
  return [
    ...jobs.map(([job, waiting]) => sample("keyhole_deployment_backlog", "rows" in waiting ? waiting.rows : waiting.events, { job })),
    ...jobs.flatMap(([job, { seconds }]) => (seconds === null ? [] : [sample("keyhole_deployment_backlog_age_seconds", seconds, { job })])),
    ...Object.entries(doubts).map(([about, count]) => sample("keyhole_deployment_doubts", count, { about })),
    sample("keyhole_deployment_doubts", integrity.logs, { about: "logs_behind_registry" }),
    sample("keyhole_deployment_doubts", integrity.forged_objects, { about: "forged_objects" }),
    sample("keyhole_deployment_doubts", integrity.rows.faults, { about: "inventory_faults" }),
    ...VERDICTS.registry.map((verdict) => sample("keyhole_deployment_verdict", Number(integrity.registry === verdict), { of: "registry", verdict })),
    ...VERDICTS.rows.map((verdict) => sample("keyhole_deployment_verdict", Number(integrity.rows.verdict === verdict), { of: "rows", verdict })),
    sample("keyhole_deployment_database_bytes", database_bytes),
    ...(database_days_left === null ? [] : [sample("keyhole_deployment_database_days_left", database_days_left)]),
  ];
}

const VERDICTS = {
  registry: ["ok", "failed", "lost", "unavailable", "unknown"],
  rows: ["ok", "failed", "lost", "unknown"],
} as const satisfies { readonly registry: readonly Integrity["registry"][]; readonly rows: readonly Integrity["rows"]["verdict"][] };
