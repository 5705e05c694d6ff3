import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { casesFor } from "./cases.ts";
import { type Instance, startInstance } from "./instance.ts";
import { fire, load, quantile, type Shot } from "./load.ts";
import type { Setup } from "./ratios.ts";

/** CPU time of the workerd process for each call, in milliseconds; D1's and KV's simulation run in it too. */
export interface CpuRow {
  readonly name: string;
  readonly keyhole: number;
  readonly floor: number | undefined;
}

const TICKS_PER_SECOND = 100;

/** Measures CPU time by what the system says of the processes before and after a load (Linux only). */
export async function measureCpu({ token, requests }: Setup, keyhole: Instance, floor: Instance): Promise<CpuRow[]> {
  const cases = casesFor(token);
  const [first, second] = workerdProcesses();
  if (first === undefined || second === undefined) return [];
  const spent = async (url: URL, pid: number, shot: Shot | (() => Shot)): Promise<number> => {
    const before = cpuTicks(pid);
    await load(url, shot, 4, requests);
    return ((cpuTicks(pid) - before) / TICKS_PER_SECOND / requests) * 1000;
  };
  const row = async (name: string, shot: Shot | (() => Shot), floorShot?: Shot): Promise<CpuRow> => ({
    name,
    keyhole: await spent(keyhole.url, first, shot),
    floor: floorShot && (await spent(floor.url, second, floorShot)),
  });
  return [
    await row("resolve 1", cases.resolve(1), cases.resolve(1)),
    await row("resolve 10", cases.resolve(10), cases.resolve(10)),
    await row("list of 50", cases.list),
  ];
}

/** The workerd processes that this one has started, oldest first. */
function workerdProcesses(): number[] {
  const children = execFileSync("pgrep", ["-P", String(process.pid), "workerd"], { encoding: "utf8" });
  return children.trim().split("\n").map(Number);
}

function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

/** Milliseconds from nothing to the first answer of `/healthz`, and of the same with an empty Worker. */
export interface StartTime {
  readonly keyhole: number;
  readonly empty: number;
}

const EMPTY = 'export default { fetch: () => new Response("{}") };';

/** Starts each Worker several times; the difference is what its module costs to start. */
export async function measureStart({ secrets, bundles }: Setup): Promise<StartTime> {
  const times = { keyhole: [] as number[], empty: [] as number[] };
  for (let n = 0; n < 5; n++) {
    times.keyhole.push(await startOnce(bundles.keyhole, secrets));
    times.empty.push(await startOnce(EMPTY, secrets));
  }
  return { keyhole: quantile(times.keyhole, 0.5), empty: quantile(times.empty, 0.5) };
}

async function startOnce(script: string, secrets: Setup["secrets"]): Promise<number> {
  const started = performance.now();
  const instance = await startInstance(script, secrets);
  await fire(instance.url, { method: "GET", path: "/healthz", headers: {}, expect: 200 });
  const took = performance.now() - started;
  await instance.stop();
  return took;
}
