import { request } from "node:http";
import { type CallCounts, countCall } from "./count-calls.ts";
import { type Instance, migrate, startInstance } from "./instance.ts";
import { millisecondsFor } from "./leases.ts";
import { fire, type Measured, type Shot } from "./load.ts";
import { pump } from "./pump.ts";
import type { Setup } from "./ratios.ts";
import { seedNames } from "./seed.ts";

/** One request to a service, made in one way: the same in each round, one way right after the other. */
export interface UseRow {
  readonly name: string;
  readonly connections: number;
  readonly rounds: readonly Measured[];
}

/** How long the first byte of a stream takes in one way, in milliseconds. */
export interface FirstByte {
  readonly name: string;
  readonly times: readonly number[];
}

/** The ways, the first two of which are what the others are compared with. */
export const DIRECT = "the service itself";
export const REVERSE_PROXY = "a plain reverse-proxy Worker";
const LEASED = "a use under a lease";
const EACH = "a use that is on record by itself";

interface Way {
  readonly name: string;
  readonly url: URL;
  readonly at: string;
  readonly token: string;
}

const PATH = "/v1/chat/completions";
/** How many streams are begun in each way. */
const STREAMS = 60;

/** Measures requests to a service, made directly, through a reverse proxy, and as uses. */
export async function measureUses(setup: Setup): Promise<{ rows: UseRow[]; streams: FirstByte[] }> {
  const { rounds, requests } = setup;
  const { ways, stop } = await start(setup);
  const rows = [1, 8].flatMap((connections) => ways.map((way) => ({ way, connections, rounds: [] as Measured[] })));
  // The first round only warms up.
  for (let round = -1; round < rounds; round++) {
    for (const { way, connections, rounds: measured } of rows) {
      const one = await pump(way.url, shotOf(way), connections, millisecondsFor(requests));
      if (round >= 0) measured.push(one);
    }
  }
  const streams = ways.map(({ name }) => ({ name, times: [] as number[] }));
  for (let n = 0; n < STREAMS; n++) for (const [w, way] of ways.entries()) streams[w]?.times.push(await firstByte(way));
  await stop();
  return { rows: rows.map(({ way: { name }, connections, rounds: measured }) => ({ name, connections, rounds: measured })), streams };
}

/**
 * Counts what uses ask of the bindings.
 *
 * @throws {Error} when one under a lease that is there asks for anything.
 */
export async function countUses({ secrets, token, bundles }: Setup): Promise<CallCounts[]> {
  const upstream = await startInstance(bundles.upstream, {}, { direct: true });
  const instance = await startKeyhole(bundles.counting, secrets, token, upstream, false);
  const opening = await countCall(instance, "use, opens a lease", shotOf({ ...wayOf(instance, "leased", token), name: "" }));
  const hit = await countCall(instance, "use, under a lease", shotOf({ ...wayOf(instance, "leased", token), name: "" }));
  const each = await countCall(instance, "use, on record by itself", shotOf({ ...wayOf(instance, "each", token), name: "" }));
  await instance.stop();
  await upstream.stop();
  if (hit.waits + hit.d1Batches + hit.kvReads + hit.kvWrites > 0) throw new Error(`${hit.name} asked the bindings: ${JSON.stringify(hit)}`);
  return [opening, hit, each];
}

async function start({ secrets, token, bundles }: Setup): Promise<{ ways: Way[]; stop: () => Promise<void> }> {
  const upstream = await startInstance(bundles.upstream, {}, { direct: true });
  const proxy = await startInstance(bundles.reverseProxy, {}, { direct: true, vars: { ORIGIN: upstream.url.origin, KEY: "sk-0123456789abcdef" } });
  const keyhole = await startKeyhole(bundles.keyhole, secrets, token, upstream, true);
  const ways = [
    { name: DIRECT, url: upstream.url, at: "", token },
    { name: REVERSE_PROXY, url: proxy.url, at: "", token },
    { name: LEASED, ...wayOf(keyhole, "leased", token) },
    { name: EACH, ...wayOf(keyhole, "each", token) },
  ];
  const stop = async () => {
    for (const instance of [keyhole, proxy, upstream]) await instance.stop();
  };
  return { ways, stop };
}

function wayOf({ url }: Instance, service: string, token: string): Omit<Way, "name"> {
  return { url, at: `/use/${service}`, token };
}

async function startKeyhole(script: string, secrets: Setup["secrets"], token: string, upstream: Instance, direct: boolean): Promise<Instance> {
  const keyhole = await startInstance(script, secrets, { direct, vars: { ALLOW_INSECURE_ORIGINS: "true" } });
  await migrate(keyhole.db);
  await seedNames(keyhole, token, 1);
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const say = (method: string, path: string, body: object, expect: number) => fire(keyhole.url, { method, path, headers, body: JSON.stringify(body), expect });
  await say("PUT", "/v1/scopes/namespace%3Aprod/secrets/API_KEY", { value: "sk-0123456789abcdef0123456789abcdef", hosts: [upstream.url.hostname] }, 201);
  const inject = [{ in: "header", name: "Authorization", value: "Bearer ${API_KEY}" }];
  const definition = { origin: upstream.url.origin, scopes: ["namespace:prod"], inject, allow: [{ methods: ["POST"], paths: ["/v1/**", "/stream"] }] };
  await say("PUT", "/v1/services/leased", { ...definition, audit: "lease" }, 201);
  await say("PUT", "/v1/services/each", { ...definition, audit: "each" }, 201);
  return keyhole;
}

function shotOf({ at, token }: Omit<Way, "url"> & Partial<Pick<Way, "url">>): Shot {
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hello?" }] });
  return { method: "POST", path: `${at}${PATH}`, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body, expect: 200 };
}

function firstByte({ url, at, token }: Way): Promise<number> {
  return new Promise((resolve, reject) => {
    const before = performance.now();
    const headers = { Authorization: `Bearer ${token}`, "Content-Length": "2" };
    const sent = request({ host: url.hostname, port: url.port, method: "POST", path: `${at}/stream`, headers, agent: false }, (reply) => {
      if (reply.statusCode !== 200) reject(new Error(`a stream answered ${reply.statusCode}`));
      let first: number | undefined;
      reply.on("data", () => {
        first ??= performance.now() - before;
      });
      reply.on("error", reject);
      reply.on("end", () => resolve(first ?? Number.NaN));
    });
    sent.on("error", reject);
    sent.end("{}");
  });
}
