import { casesFor, underLease } from "./cases.ts";
import { type Instance, migrate, startInstance } from "./instance.ts";
import type { Measured, Shot } from "./load.ts";
import { pump } from "./pump.ts";
import type { Setup } from "./ratios.ts";
import { seedFloor, seedNames } from "./seed.ts";

/** One case through the Workers' direct sockets: the same in each round, one right after the other. */
export interface LeaseRow {
  readonly name: string;
  readonly connections: number;
  readonly rounds: readonly Measured[];
}

/** The Worker that does nothing, and a resolve without a lease: what the others are compared with. */
export const NOOP = "a Worker that does nothing";
export const STRICT = "resolve 1, strict";

interface Case {
  readonly name: string;
  readonly instance: Instance;
  readonly shot: Shot;
}

/** How long each measurement of what is given from memory takes, in milliseconds. */
export function millisecondsFor(requests: number): number {
  return Math.max(200, requests * 5);
}

/** Measures what is given again under a lease beside a Worker that does nothing, one that verifies the token, and strict resolves. */
export async function measureLeases({ secrets, token, bundles, rounds, requests }: Setup): Promise<LeaseRow[]> {
  const [keyhole, floor, noop, verify] = await Promise.all([
    startInstance(bundles.keyhole, secrets, { direct: true }),
    startInstance(bundles.floor, secrets, { direct: true }),
    startInstance(bundles.noop, {}, { direct: true }),
    startInstance(bundles.verify, secrets, { direct: true }),
  ]);
  await migrate(keyhole.db);
  await seedNames(keyhole, token);
  await seedFloor(keyhole, floor);
  const { resolve, resolveByGet } = casesFor(token);
  const cases: Case[] = [
    { name: NOOP, instance: noop, shot: resolve(1) },
    { name: "a Worker that verifies the token", instance: verify, shot: resolve(1) },
    { name: "the floor", instance: floor, shot: resolve(1) },
    { name: STRICT, instance: keyhole, shot: resolve(1) },
    { name: "one by GET, under a lease", instance: keyhole, shot: underLease(resolveByGet) },
    ...[1, 10, 100].map((count) => ({ name: `resolve ${count}, under a lease`, instance: keyhole, shot: underLease(resolve(count)) })),
  ];
  const rows = [1, 8].flatMap((connections) => cases.map((one) => ({ ...one, connections, rounds: [] as Measured[] })));
  // The first round only warms up.
  for (let round = -1; round < rounds; round++) {
    for (const { instance, shot, connections, rounds: measured } of rows) {
      const one = await pump(instance.url, shot, connections, millisecondsFor(requests));
      if (round >= 0) measured.push(one);
    }
  }
  for (const instance of [keyhole, floor, noop, verify]) await instance.stop();
  return rows.map(({ name, connections, rounds: measured }) => ({ name, connections, rounds: measured }));
}
