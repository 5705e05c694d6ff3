import { Agent, request } from "node:http";

/** One request, made again and again. */
export interface Shot {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The status that it has to answer. */
  readonly expect: number;
}

/** What a load came to. Latencies in milliseconds. */
export interface Measured {
  readonly perSecond: number;
  readonly latencies: readonly number[];
}

/**
 * Makes requests over keep-alive connections, each one after the other on its connection, until `count` are answered.
 *
 * @throws {Error} when one is not answered with the status that it has to.
 */
export async function load(url: URL, shot: Shot | (() => Shot), connections: number, count: number): Promise<Measured> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latencies: number[] = [];
  let left = count;
  const started = performance.now();
  const loop = async (): Promise<void> => {
    while (left-- > 0) {
      const before = performance.now();
      await fire(url, typeof shot === "function" ? shot() : shot, agent);
      latencies.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: connections }, loop));
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  return { perSecond: count / seconds, latencies };
}

/** Makes one request, and returns its headers and body. */
export function fire(
  url: URL,
  { method, path, headers, body, expect }: Shot,
  agent?: Agent,
): Promise<{ headers: NodeJS.Dict<string | string[]>; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: url.hostname, port: url.port, method, path, headers, ...(agent && { agent }) }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on("data", (chunk: Buffer) => chunks.push(chunk));
      reply.on("error", reject);
      reply.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        if (reply.statusCode === expect) resolve({ headers: reply.headers, body: text });
        else reject(new Error(`${method} ${path} answered ${reply.statusCode} instead of ${expect}: ${text.slice(0, 200)}`));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** The q-quantile of some numbers, between the two next to it in proportion (Hyndman and Fan 1996, definition 7). */
export function quantile(numbers: readonly number[], q: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const [below = Number.NaN, above = below] = sorted.slice(Math.floor(at), Math.floor(at) + 2);
  return below + (above - below) * (at % 1);
}
