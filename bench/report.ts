import { readFileSync } from "node:fs";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { BesideWork } from "./beside-work.ts";
import type { BulkReadTimes } from "./bulk-read.ts";
import type { CallCounts } from "./count-calls.ts";
import { DELAYS, type DistanceRow } from "./distance.ts";
import { type LeaseRow, NOOP, STRICT } from "./leases.ts";
import { quantile } from "./load.ts";
import type { CpuRow, StartTime } from "./measure-process.ts";
import type { OwnTimeRow } from "./own-time.ts";
import type { Row, Setup } from "./ratios.ts";
import type { SizeRow } from "./sizes.ts";
import { SAMPLES, type TimingRow } from "./timing.ts";

/** Cloudflare's list prices in dollars per million, Workers Paid plan, beyond what the plan includes. */
export const PRICES = { request: 0.3, rowRead: 0.001, rowWritten: 1, kvRead: 0.5, kvWrite: 5 };

/** The report, in Markdown. `only` are the parts that were chosen: all if `undefined`. */
export function writeReport({ rounds, requests, sizes }: Setup, only: string | undefined, paragraphs: readonly string[]): string {
  const chosen = only === undefined ? "" : ` --only ${only}`;
  return [
    "# What was measured",
    `Written by \`npm run bench -- --rounds ${rounds} --requests ${requests} --sizes ${sizes.join(",")}${chosen}\`; to repeat it, run that. ${machine()}`,
    "Both Workers run in workerd behind Miniflare's own server and nothing else, one right after the other in each round, on the same machine, which also makes the load. What Keyhole writes to its log is thrown away, not read.",
    ...paragraphs,
    "",
  ].join("\n\n");
}

/** When and on which machine, with the versions of what was measured. */
export function machine(): string {
  const versions = ["miniflare", "workerd", "wrangler", "hono", "zod", "jose"].map((name) => `${name} ${versionOf(name)}`);
  const [{ model } = { model: "unknown" }] = cpus();
  return `Date: ${new Date().toISOString().slice(0, 10)}. Machine: ${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${release()} ${arch()}, Node ${process.version}; ${versions.join(", ")}.`;
}

function versionOf(name: string): string {
  return (JSON.parse(readFileSync(join(import.meta.dirname, "../node_modules", name, "package.json"), "utf8")) as { version: string }).version;
}

/** A table in Markdown, whose first column is text. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [head, head.map((_, n) => (n === 0 ? "---" : "---:")), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

export function ratioSection(ratios: readonly Row[], bulkRead: BulkReadTimes): string[] {
  const rows = ratios.map(({ name, connections, rounds }) => {
    const own = rounds.map(({ keyhole }) => keyhole);
    const against = rounds.flatMap(({ keyhole, floor }) => (floor ? [keyhole.perSecond / floor.perSecond] : []));
    const ratio = against.length > 0 ? [quantile(against, 0.5), Math.min(...against), Math.max(...against)].map((value) => value.toFixed(2)) : ["–", "–", "–"];
    const latencies = own.flatMap((measured) => measured.latencies);
    const floors = rounds.flatMap(({ floor }) => floor?.perSecond ?? []);
    const perSecond = [own.map((measured) => measured.perSecond), floors].map((list) => (list.length > 0 ? quantile(list, 0.5).toFixed(0) : "–"));
    return [name, connections, ...perSecond, quantile(latencies, 0.5).toFixed(2), quantile(latencies, 0.99).toFixed(2), ...ratio];
  });
  return [
    "## Throughput against the floor",
    "The floor does the least that any correct resolve must: verify the token, one D1 batch of a select and an insert, one KV read, unwrap, open; all by the platform's own calls, without a library. The ratio is Keyhole's requests per second over the floor's, per round. Requests per second are medians of the rounds; the latencies are those of Keyhole in all rounds together. The rate limit is the binding that a deployment has: the other rows, and the floor, are without it.",
    table(["case", "connections", "requests/s", "the floor's", "p50 ms", "p99 ms", "ratio, median", "min", "max"], rows),
    `100 secrets take ${timeOf(ratios, "resolve 100")} times as long as one at 8 connections; with the floor Worker it is ${timeOf(ratios, "resolve 100", true)} times. The local KV by itself, read by a Worker that does nothing else, takes ${bulkRead.one.toFixed(1)} ms to read one key and ${bulkRead.hundred.toFixed(1)} ms to read 100 in one call.`,
  ];
}

export function leaseSection(leases: readonly LeaseRow[]): string[] {
  const rows = leases.map(({ name, connections, rounds }) => {
    const against = (other: string) => {
      const beside = leases.find((row) => row.name === other && row.connections === connections)?.rounds ?? [];
      const ratios = rounds.map(({ perSecond }, round) => perSecond / (beside[round]?.perSecond ?? Number.NaN));
      return quantile(ratios, 0.5).toFixed(2);
    };
    const latencies = rounds.flatMap((round) => round.latencies);
    const perSecond = quantile(
      rounds.map((round) => round.perSecond),
      0.5,
    );
    return [name, connections, perSecond.toFixed(0), quantile(latencies, 0.5).toFixed(2), quantile(latencies, 0.99).toFixed(2), against(NOOP), against(STRICT)];
  });
  return [
    "## Given again under a lease",
    "Through a socket of the Worker's own, without Miniflare's entry Worker, by a load that writes to raw sockets. The ratios are medians of the rounds, each within its round: to a Worker that does nothing, and to a strict resolve of one secret.",
    table(["case", "connections", "requests/s", "p50 ms", "p99 ms", "to doing nothing", "to a strict resolve"], rows),
  ];
}

export function besideWorkSection(besideWork: readonly BesideWork[]): string[] {
  const rows = (["quiet", "busy"] as const).map((which) => {
    const latencies = besideWork.flatMap((round) => round[which].latencies);
    const perSecond = quantile(
      besideWork.map((round) => round[which].perSecond),
      0.5,
    );
    return [
      which === "quiet" ? "by themselves" : "beside scheduled runs",
      perSecond.toFixed(0),
      quantile(latencies, 0.5).toFixed(2),
      quantile(latencies, 0.99).toFixed(2),
    ];
  });
  const ratio = (q: number) =>
    quantile(
      besideWork.map(({ quiet, busy }) => quantile(busy.latencies, q) / quantile(quiet.latencies, q)),
      0.5,
    ).toFixed(2);
  const done = quantile(
    besideWork.map((round) => round.done),
    0.5,
  );
  return [
    "## Beside scheduled work",
    "Strict resolves of one secret at 8 connections, by themselves and while scheduled runs follow each other without a pause on a backlog that does not end: events to seal and digest, objects to remove, tokens to forget.",
    table(["strict resolves", "requests/s", "p50 ms", "p99 ms"], rows),
    `Within a round (medians of the rounds) p50 is ${ratio(0.5)} and p99 ${ratio(0.99)} times as long beside the work, of which ${done.toFixed(0)} pieces were done in a round's measurement.`,
  ];
}

function timeOf(ratios: readonly Row[], name: string, floor = false): string {
  const p50 = (wanted: string) => {
    const rounds = ratios.find((row) => row.name === wanted && row.connections === 8)?.rounds ?? [];
    return quantile(
      rounds.flatMap((round) => (floor ? round.floor : round.keyhole)?.latencies ?? []),
      0.5,
    );
  };
  return (p50(name) / p50("resolve 1")).toFixed(1);
}

export function ownTimeSection(ownTime: readonly OwnTimeRow[]): string[] {
  const rows = ownTime.map(({ name, keyhole, floor }) => [name, keyhole.toFixed(0), floor.toFixed(0), (keyhole - floor).toFixed(0)]);
  return [
    "## Where the time goes",
    "Microseconds for a resolve of one secret, made again and again inside the isolate, without HTTP; medians. From memory means what the binding answered first.",
    table(["bindings", "Keyhole", "floor", "difference"], rows),
  ];
}

export function countSection(counts: readonly CallCounts[]): string[] {
  return [
    "## What a call asks of the bindings",
    "Counted by a proxy around the bindings until the reply is made. A wait is one or more binding calls at once, after which something else follows. Dollars per million calls at the platform's list prices (Workers Paid, beyond what is included): requests $0.30, D1 rows read $0.001 and written $1.00, KV keys read $0.50 (a bulk read is billed for each of its keys) and written $5.00 per million. A set's KV write begins before its reply; what comes after it is priced too: three rows written (that KV has the ciphertext, in the row and in an index, and later that D1's own copy is gone) and the KV read that compares the two. CPU time, which the plan bills beyond what it includes, is not priced.",
    countTable(counts),
  ];
}

/** What each call asks of the bindings, as a table. */
export function countTable(counts: readonly CallCounts[]): string {
  const rows = counts.map((c) => [c.name, c.waits, c.d1Batches, c.d1Statements, c.rowsRead, c.rowsWritten, c.kvReads, c.kvWrites, dollars(c).toFixed(2)]);
  return table(["call", "waits", "D1 calls", "statements", "rows read", "rows written", "KV keys read", "KV writes", "$ per million"], rows);
}

function dollars({ name, rowsRead, rowsWritten, kvReads, kvWrites }: CallCounts): number {
  const later = name.startsWith("set") ? 3 * PRICES.rowWritten + PRICES.kvRead : 0;
  return PRICES.request + rowsRead * PRICES.rowRead + rowsWritten * PRICES.rowWritten + kvReads * PRICES.kvRead + kvWrites * PRICES.kvWrite + later;
}

export function sizeSection(bySize: readonly SizeRow[]): string[] {
  const rows = bySize.map(({ size, resolve, list, rowsReadByResolve, rowsReadByList }) => [
    size.toLocaleString("en"),
    resolve.toFixed(2),
    rowsReadByResolve,
    list.toFixed(2),
    rowsReadByList,
  ]);
  const [first, last] = [bySize[0], bySize.at(-1)];
  const growth =
    first && last
      ? `Measured through the proxy that counts, which takes some time itself. The resolve's median latency at the largest store is ${(last.resolve / first.resolve).toFixed(2)} of that at the smallest.`
      : "";
  return [
    "## Size of the store",
    table(["secrets", "resolve p50 ms", "rows read", "list p50 ms", "rows read"], rows),
    growth,
    "![Latency and rows read against store size](store-size.svg)",
  ];
}

export function distanceSection(distance: readonly DistanceRow[]): string[] {
  return [
    "## Far from the primary",
    `Each D1 call is delayed by about ${DELAYS.d1} ms, each KV read by about ${DELAYS.kvHot} ms, or ${DELAYS.kvCold} ms when this location reads the key for the first time; each delay is drawn from half to twice of that. The waits are the delays that were drawn for the calls of the same row, added up for each call: one D1 call and, where the value is not inline and not known, one KV read; the benchmark fails if a call waits more often. One call at a time.`,
    table(
      ["case", "waits, p50 ms", "p50 ms", "waits, p99 ms", "p99 ms", "beyond its waits, p50 ms", "p99 ms"],
      distance.map(({ name, waits, latency, beyond }) => [
        name,
        ...[waits.p50, latency.p50, waits.p99, latency.p99].map((ms) => ms.toFixed(0)),
        ...[beyond.p50, beyond.p99].map((ms) => ms.toFixed(1)),
      ]),
    ),
  ];
}

export function processSection({ bundles }: Setup, cpu: readonly CpuRow[], start: StartTime): string[] {
  const gzipped = (gzipSync(bundles.keyhole).length / 1024).toFixed(1);
  return [
    "## Size, start, CPU",
    `The bundle is ${gzipped} KiB gzipped. From nothing to the first answer of /healthz takes ${spreadOf(start.keyhole)} ms, with an empty Worker ${spreadOf(start.empty)} ms (medians, and the shortest and longest, of ${start.keyhole.length}): the module itself costs ${(quantile(start.keyhole, 0.5) - quantile(start.empty, 0.5)).toFixed(0)} ms.`,
    "CPU milliseconds of the workerd process for each call, of all rounds together; the local simulations of D1 and KV run in that process too, so a deployed Worker takes less.",
    cpu.length === 0
      ? "Not measured: it is read from Linux's /proc."
      : table(
          ["call", "Keyhole", "floor", "floor / Keyhole"],
          cpu.map(({ name, keyhole, floor }) => [
            name,
            keyhole.toFixed(2),
            ...(floor === undefined ? ["–", "–"] : [floor.toFixed(2), (floor / keyhole).toFixed(2)]),
          ]),
        ),
  ];
}

function spreadOf(times: readonly number[]): string {
  return `${quantile(times, 0.5).toFixed(0)} (${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)})`;
}

export function timingSection(timing: readonly TimingRow[]): string[] {
  return [
    "## Answers that must not tell by their time",
    `Median microseconds, the p of a two-sided Mann–Whitney test over ${SAMPLES.toLocaleString("en")} answers each, and the probability that the one takes longer than the other (0.50: no difference). The last row is a control: two refusals that differ, and may, because anybody can read when a token expires.`,
    table(
      ["answers compared", "first", "second", "p", "effect"],
      timing.map(({ name, a, b, p, effect }) => [name, a.toFixed(0), b.toFixed(0), p.toFixed(3), effect.toFixed(3)]),
    ),
  ];
}
