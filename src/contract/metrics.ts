/** A metric family: what OpenMetrics says of it, and the labels of its samples. */
interface MetricFamily {
  readonly type: "counter" | "gauge";
  /** The last word of its name, where it is a unit. */
  readonly unit?: "seconds" | "bytes";
  readonly labels: readonly string[];
  readonly help: string;
}

/**
 * The metric families of `GET /metrics`: of an organization, and from `keyhole_deployment_` on of the whole deployment. A
 * counter's samples have `_total` after the name. No label has anything that somebody chose: all of them are from closed lists.
 */
export const METRICS = {
  keyhole_events: { type: "counter", labels: ["action", "outcome"], help: "Audit events, by what was done and how it ended." },
  keyhole_leases_opened: { type: "counter", labels: ["action"], help: "Leases that were opened by a resolve or by a use of a service." },
  keyhole_lease_uses: { type: "counter", labels: [], help: "How often something was given again under leases that have ended with their last count." },
  keyhole_tokens_refused: { type: "counter", labels: ["reason"], help: "Tokens that were refused, or not exchanged, by the reason." },
  keyhole_usage: { type: "gauge", labels: ["quota"], help: "What the organization has, by the quota that bounds it." },
  keyhole_quota: { type: "gauge", labels: ["quota"], help: "What the organization may have." },
  keyhole_secrets_due: { type: "gauge", labels: ["due"], help: "Secrets that are due for rotation, or have expired; 1001 for more than 1000." },
  keyhole_next_due_timestamp_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: ["due"],
    help: "When the next secret is due for rotation, or expires, in seconds since 1970.",
  },
  keyhole_log_waiting: { type: "gauge", labels: ["job"], help: "Audit events of the organization that scheduled work has not come to." },
  keyhole_integrity_doubts: {
    type: "gauge",
    labels: ["about"],
    help: "Rows, values and logs of the organization that are not what was written; 1001 for more than 1000.",
  },
  keyhole_token_expiry_timestamp_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: [],
    help: "When the token expires with which this is read, in seconds since 1970.",
  },
  keyhole_deployment_backlog: { type: "gauge", labels: ["job"], help: "What is due and waits for scheduled work: rows, up to 10001, or events." },
  keyhole_deployment_backlog_age_seconds: { type: "gauge", unit: "seconds", labels: ["job"], help: "For how long the oldest of that has been due." },
  keyhole_deployment_doubts: { type: "gauge", labels: ["about"], help: "What waits for somebody to look at it." },
  keyhole_deployment_verdict: { type: "gauge", labels: ["of", "verdict"], help: "What the last scheduled run found of logs and rows: 1 for what holds." },
  keyhole_deployment_database_bytes: { type: "gauge", unit: "bytes", labels: [], help: "How many bytes D1 has stored." },
  keyhole_deployment_database_days_left: { type: "gauge", labels: [], help: "In how many days the database is full, if it goes on growing so." },
} as const satisfies Readonly<Record<`keyhole_${string}`, MetricFamily>>;

/** The name of a metric family. */
export type MetricName = keyof typeof METRICS;

/** One number. */
export interface MetricSample {
  readonly name: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
