import type { WorkerSecrets } from "../src/keys-file/worker-secrets.ts";
import { casesFor } from "./cases.ts";
import { type Instance, startInstance } from "./instance.ts";
import { fire, load, type Measured, type Shot } from "./load.ts";
import { seedFloor, startSeeded } from "./seed.ts";

/** What all measurements share. */
export interface Setup {
  readonly secrets: WorkerSecrets;
  readonly token: string;
  readonly bundles: Readonly<Record<"keyhole" | "counting" | "alone" | "floor" | "noop" | "reverseProxy" | "upstream" | "verify", string>>;
  readonly rounds: number;
  readonly requests: number;
  /** Numbers of secrets in the store. */
  readonly sizes: readonly number[];
}

/** One case, measured in several rounds. Where there is a floor, both were measured in turn in each round. */
export interface Row {
  readonly name: string;
  readonly connections: number;
  readonly rounds: readonly { readonly keyhole: Measured; readonly floor: Measured | undefined }[];
}

interface Case {
  readonly name: string;
  readonly connections: number;
  readonly keyhole: Shot | (() => Shot);
  readonly floor: Shot | undefined;
  /** Whether it is made of the instance that has the rate limit. */
  readonly limited?: true;
  /** How many of the requests to make: the heavier ones are made less often. */
  readonly share: number;
}

/** Measures each case, round after round, Keyhole and the floor one right after the other. */
export async function compareRatios(setup: Setup, say: (text: string) => void): Promise<Row[]> {
  const { secrets, token, bundles, rounds, requests } = setup;
  const keyhole = await startSeeded(setup, "keyhole");
  const floor = await startInstance(bundles.floor, secrets);
  await seedFloor(keyhole, floor);
  const limited = await startSeeded(setup, "keyhole", { rateLimit: true });
  const cases = casesFor(token);
  await fire(keyhole.url, { ...cases.set(), path: "/v1/scopes/namespace%3Aprod/secrets/BENCH_INLINE", expect: 201 });
  await fire(keyhole.url, { ...cases.set(), expect: 201 });
  const etag = String((await fire(keyhole.url, cases.resolve(1))).headers.etag);
  const resolves = [1, 8, 32].map((connections): Case => ({ name: "resolve 1", connections, keyhole: cases.resolve(1), floor: cases.resolve(1), share: 1 }));
  const list: Case[] = [
    ...resolves,
    { name: "resolve 1, with the rate limit", connections: 1, keyhole: cases.resolve(1), floor: cases.resolve(1), limited: true, share: 1 },
    { name: "resolve 10", connections: 8, keyhole: cases.resolve(10), floor: cases.resolve(10), share: 0.5 },
    { name: "resolve 100", connections: 8, keyhole: cases.resolve(100), floor: cases.resolve(100), share: 0.15 },
    { name: "resolve 1, inline", connections: 8, keyhole: cases.resolveInline, floor: undefined, share: 1 },
    { name: "resolve 1, 304", connections: 8, keyhole: cases.notModified(etag), floor: undefined, share: 1 },
    { name: "set", connections: 1, keyhole: cases.set, floor: undefined, share: 0.5 },
    { name: "list of 50", connections: 8, keyhole: cases.list, floor: undefined, share: 0.5 },
  ];
  const rows: Row[] = [];
  for (const one of list) {
    say(`  ${one.name}, ${one.connections} connections`);
    rows.push({ name: one.name, connections: one.connections, rounds: await measureRounds(one, rounds, requests, one.limited ? limited : keyhole, floor) });
  }
  for (const instance of [limited, floor, keyhole]) await instance.stop();
  return rows;
}

async function measureRounds(
  { keyhole: shot, floor: floorShot, connections, share }: Case,
  rounds: number,
  requests: number,
  keyhole: Instance,
  floor: Instance,
) {
  const count = Math.max(connections * 2, Math.round(requests * share));
  const measured: Row["rounds"][number][] = [];
  for (let round = -1; round < rounds; round++) {
    // Which one goes first changes from round to round; the first round only warms up.
    const floorFirst = round % 2 === 0 && floorShot ? await load(floor.url, floorShot, connections, count) : undefined;
    const own = await load(keyhole.url, shot, connections, count);
    const floorAfter = floorShot && !floorFirst ? await load(floor.url, floorShot, connections, count) : floorFirst;
    if (round >= 0) measured.push({ keyhole: own, floor: floorAfter });
  }
  return measured;
}
