import type { CallCounts } from "./count-calls.ts";
import { quantile } from "./load.ts";
import { countTable, table } from "./report.ts";
import type { VaultRow } from "./vault-reads.ts";

/** What reads through the Vault front take beside native ones, and what both ask of the bindings. */
export function vaultSection(reads: readonly VaultRow[], counts: readonly CallCounts[]): string[] {
  const rows = reads.map(({ name, connections, rounds }) => {
    const perSecond = (front: "vault" | "native") =>
      quantile(
        rounds.map((round) => round[front].perSecond),
        0.5,
      ).toFixed(0);
    const latency = (front: "vault" | "native", q: number) =>
      quantile(
        rounds.flatMap((round) => round[front].latencies),
        q,
      ).toFixed(2);
    const ratios = rounds.map(({ vault, native }) => vault.perSecond / native.perSecond);
    const spread = [quantile(ratios, 0.5), Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2));
    const latencies = [latency("vault", 0.5), latency("native", 0.5), latency("vault", 0.99), latency("native", 0.99)];
    return [name, connections, perSecond("vault"), perSecond("native"), ...latencies, ...spread];
  });
  return [
    "## Through the Vault front",
    "`GET /v1/kv/data/namespace/prod/NAME` beside `GET /v1/resolve/NAME`, and `GET /v1/secret/data/namespace/prod`, a scope of 10 keys as one object, beside `POST /v1/resolve` of the same 10. A lease is asked for with `Cache-Control: max-age=300`, or by the token's `lease_seconds` without that header. Through a socket of the Worker's own, by a load that writes to raw sockets, both in turn in each round. Requests per second are medians of the rounds; the ratio is the Vault front's over the native one's, per round.",
    table(["read", "connections", "requests/s", "native", "p50 ms", "native", "p99 ms", "native", "ratio, median", "min", "max"], rows),
    "What these reads ask of the bindings until the reply is made, counted by a proxy around them, at the same prices as other calls; the benchmark fails if one that is given again under a lease asks for anything.",
    countTable(counts),
  ];
}
