import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { casesFor } from "./cases.ts";
import { startInstance } from "./instance.ts";
import { fire, load, type Shot } from "./load.ts";
import type { Setup } from "./ratios.ts";
import { seedFloor, startSeeded } from "./seed.ts";

/** CPU time of the workerd process for each call, in milliseconds; D1's and KV's simulation run in it too. */
export interface CpuRow {
  readonly name: string;
  readonly keyhole: number;
  readonly floor: number | undefined;
}

const TICKS_PER_SECOND = 100;

/** Measures CPU time by what Linux says of the processes before and after loads of each in turn; elsewhere nothing. */
export async function measureCpu(setup: Setup): Promise<CpuRow[]> {
  if (process.platform !== "linux") return [];
  const { secrets, token, bundles, requests, rounds } = setup;
  const keyhole = await startSeeded(setup, "keyhole");
  const floor = await startInstance(bundles.floor, secrets);
  await seedFloor(keyhole, floor);
  const cases = casesFor(token);
  const [first = 0, second = 0] = workerdProcesses();
  const spent = async (url: URL, pid: number, shot: Shot): Promise<number> => {
    const before = cpuTicks(pid);
    await load(url, shot, 4, requests);
    return ((cpuTicks(pid) - before) / TICKS_PER_SECOND / requests / rounds) * 1000;
  };
  const row = async (name: string, shot: Shot, floorShot?: Shot): Promise<CpuRow> => {
    const sums = { keyhole: 0, floor: 0 };
    // The first round only warms up.
    for (let round = -1; round < rounds; round++) {
      const own = await spent(keyhole.url, first, shot);
      const beside = floorShot ? await spent(floor.url, second, floorShot) : 0;
      if (round < 0) continue;
      sums.keyhole += own;
      sums.floor += beside;
    }
    return { name, keyhole: sums.keyhole, floor: floorShot && sums.floor };
  };
  const rows = [
    await row("resolve 1", cases.resolve(1), cases.resolve(1)),
    await row("resolve 10", cases.resolve(10), cases.resolve(10)),
    await row("list of 50", cases.list),
  ];
  for (const instance of [floor, keyhole]) await instance.stop();
  return rows;
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

/** Milliseconds from nothing to the first answer of `/healthz`, and of the same with an empty Worker, each time that it was started. */
export interface StartTime {
  readonly keyhole: readonly number[];
  readonly empty: readonly number[];
}

const EMPTY = 'export default { fetch: () => new Response("{}") };';

/** Starts each Worker several times; the difference is what its module costs to start. */
export async function measureStart({ secrets, bundles }: Setup): Promise<StartTime> {
  const times = { keyhole: [] as number[], empty: [] as number[] };
  for (let n = 0; n < 9; n++) {
    times.keyhole.push(await startOnce(bundles.keyhole, secrets));
    times.empty.push(await startOnce(EMPTY, secrets));
  }
  return times;
}

async function startOnce(script: string, secrets: Setup["secrets"]): Promise<number> {
  const started = performance.now();
  const instance = await startInstance(script, secrets);
  await fire(instance.url, { method: "GET", path: "/healthz", headers: {}, expect: 200 });
  const took = performance.now() - started;
  await instance.stop();
  return took;
}
