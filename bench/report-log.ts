import { readConfig } from "../scripts/wrangler-config.ts";
import type { EventLife } from "./event-lives.ts";
import type { LogResult, LogState } from "./log.ts";
import type { LogCounts } from "./log-worker.ts";
import { machine, PRICES, table } from "./report.ts";

/** Dollars a month for a GB (10^9 bytes), and for a million lines of the platform's log, beyond what the plan includes. */
const STORED = { d1: 0.75, kv: 0.5 };
const LINES = 0.6;
const DAYS_A_MONTH = 30;

/** The report on the audit log, in Markdown. */
export function writeLogReport(log: LogResult, lives: readonly EventLife[]): string {
  return [
    "# What was measured of the audit log",
    `Written by \`npm run bench -- --log ${log.events}\`; to repeat it, run that. ${machine()}`,
    ...logSection(log),
    ...lifeSection(log, lives),
    "",
  ].join("\n\n");
}

function logSection({ events, archived, hot, cold, indexInD1, seconds }: LogResult): string[] {
  const rows = [hot, cold].flatMap(({ name, reads }) =>
    reads.map((read) => [
      name,
      read.name,
      read.milliseconds.toFixed(1),
      read.returned,
      read.rowsRead.toFixed(0),
      (read.rowsRead / read.returned).toFixed(1),
      read.kvReads.toFixed(1),
    ]),
  );
  const verified = ({ name, verified: { seconds: took, calls, rowsRead, kvReads } }: LogState) => [name, took.toFixed(1), calls, rowsRead, kvReads];
  return [
    `## A log of ${events.toLocaleString("en")} events`,
    `Resolves of one of 200 secrets over 100 days, written by SQL, and sealed (a thousand a checkpoint), digested and archived by the Worker's own jobs, without rests: that took ${[seconds.seal, seconds.digest, seconds.archive].map((took) => took.toFixed(0)).join(", ")} seconds. ${archived.toLocaleString("en")} of them can be archived: the end of a log stays in D1.`,
    table(
      ["bytes for each event", "in D1", "in KV"],
      [
        ["before it is archived, with checkpoint and digest", hot.bytesInD1.toFixed(0), "–"],
        ["in the archive", cold.bytesInD1.toFixed(2), cold.bytesInKv.toFixed(0)],
        ["the archive's index of secrets", indexInD1.toFixed(2), "–"],
      ],
    ),
    table(["the log is", "read", "ms, median", "events returned", "rows read", "rows for each event", "KV keys read"], rows),
    table(["the log is", "verified in s", "calls", "rows read", "KV keys read"], [hot, cold].map(verified)),
  ];
}

function lifeSection(log: LogResult, lives: readonly EventLife[]): string[] {
  const STAGES = ["requests", "seal", "digest", "archive", "retention"] as const;
  const rows = lives.map(({ name, events, stages }) => {
    const written = STAGES.map((stage) => stages[stage].rowsWritten / events);
    return [name, ...[...written, written.reduce((sum, each) => sum + each, 0)].map((each) => each.toFixed(2))];
  });
  const costs = lives.map((life) => {
    const parts = dollars(log, life);
    return [
      life.name,
      (life.events / life.requests).toFixed(3),
      ...[...Object.values(parts), Object.values(parts).reduce((sum, part) => sum + part, 0)].map((part) => part.toFixed(2)),
    ];
  });
  return [
    "## An event's life",
    "Counted by a proxy around the bindings, from requests to the end of retention. The log is sealed and digested each minute. Rows that D1 counts as written, for each event:",
    table(["", "the request", "sealed", "digested", "archived", "removed", "all"], rows),
    `Dollars per million requests at the platform's list prices (those above are per million; D1 stores a GB for $${STORED.d1} a month, KV for $${STORED.kv.toFixed(2)}; a million log lines are $${LINES.toFixed(2)}, of which ${(sampling() * 100).toFixed(0)} % are kept as wrangler.toml has it). Events are in D1 for ${hotDays()} days and in KV until ${retentionDays()} are over, in the size that was measured above. What each run costs without any event, and CPU time, are not in it.`,
    table(["", "events a request", "requests", "D1", "KV", "storage", "log lines", "all"], costs),
  ];
}

function dollars(log: LogResult, { requests, events, stages }: EventLife) {
  const all = (key: keyof LogCounts) => Object.values(stages).reduce((sum, counts) => sum + counts[key], 0) / requests;
  const perRequest = events / requests;
  const months = { hot: hotDays() / DAYS_A_MONTH, cold: (retentionDays() - hotDays()) / DAYS_A_MONTH };
  const gigabytes = (bytes: number) => (bytes * 1_000_000) / 1e9;
  return {
    requests: PRICES.request,
    d1: all("rowsWritten") * PRICES.rowWritten + all("rowsRead") * PRICES.rowRead,
    kv: all("kvReads") * PRICES.kvRead + all("kvWrites") * PRICES.kvWrite,
    storage:
      perRequest *
      (gigabytes(log.hot.bytesInD1) * months.hot * STORED.d1 +
        gigabytes(log.cold.bytesInD1 + log.indexInD1) * months.cold * STORED.d1 +
        gigabytes(log.cold.bytesInKv) * months.cold * STORED.kv),
    lines: all("lines") * LINES * sampling(),
  };
}

const hotDays = () => Number(readConfig().vars.AUDIT_HOT_DAYS);
const retentionDays = () => Number(readConfig().vars.AUDIT_RETENTION_DAYS);

/** Which part of the log's lines the platform keeps: all, unless wrangler.toml says otherwise. */
function sampling(): number {
  const { observability } = readConfig();
  return observability?.logs?.head_sampling_rate ?? observability?.head_sampling_rate ?? 1;
}
