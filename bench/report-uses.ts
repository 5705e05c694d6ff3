import type { CallCounts } from "./count-calls.ts";
import { quantile } from "./load.ts";
import { countTable, table } from "./report.ts";
import { DIRECT, type FirstByte, REVERSE_PROXY, type UseRow } from "./uses.ts";

/** What a use of a service adds to the same request made directly, and what it asks of the bindings. */
export function usesSection({ rows, streams }: { rows: readonly UseRow[]; streams: readonly FirstByte[] }, counts: readonly CallCounts[]): string[] {
  const of = (name: string, connections: number) => rows.find((row) => row.name === name && row.connections === connections) as UseRow;
  const latency = ({ rounds }: UseRow, q: number) =>
    quantile(
      rounds.flatMap(({ latencies }) => latencies),
      q,
    );
  const lines = rows.map((row) => {
    const { name, connections, rounds } = row;
    const [direct, proxy] = [of(DIRECT, connections), of(REVERSE_PROXY, connections)];
    const ratios = rounds.map(({ perSecond }, n) => perSecond / (proxy.rounds[n]?.perSecond ?? Number.NaN));
    const perSecond = quantile(
      rounds.map((round) => round.perSecond),
      0.5,
    ).toFixed(0);
    const times = [0.5, 0.99].flatMap((q) => [latency(row, q).toFixed(2), name === DIRECT ? "–" : (latency(row, q) - latency(direct, q)).toFixed(2)]);
    return [name, connections, perSecond, ...times, ...[quantile(ratios, 0.5), Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2))];
  });
  const [direct] = streams;
  const first = streams.map(({ name, times }) => [
    name,
    ...[0.5, 0.99].flatMap((q) => [quantile(times, q).toFixed(2), (quantile(times, q) - quantile(direct?.times ?? [], q)).toFixed(2)]),
  ]);
  return [
    "## Uses of a service",
    "A POST with a small JSON body and a small JSON answer, to a service that is a Worker of the benchmark's own: made directly, through a Worker that only sends it on with a key, and as a use. Through sockets of the Workers' own, by a load that writes to raw sockets, all ways in turn in each round. Beside p50 and p99 is what each adds to the direct request; the ratio is requests per second over those of the reverse proxy, per round. All of it shares one machine with the load.",
    table(["way", "connections", "requests/s", "p50 ms", "added", "p99 ms", "added", "ratio, median", "min", "max"], lines),
    "The first byte of a stream, on a connection of its own, and what is added to it:",
    table(["way", "p50 ms", "added", "p99 ms", "added"], first),
    "What uses ask of the bindings until the reply is made, counted by a proxy around them; the benchmark fails if one under a lease that is there asks for anything.",
    countTable(counts),
  ];
}
