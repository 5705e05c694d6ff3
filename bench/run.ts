import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fail } from "../scripts/settings.ts";
import { signToken } from "../scripts/sign-token.ts";
import { PERMISSIONS } from "../src/contract/permission.ts";
import { makeSecrets } from "../src/keys-file/make-secrets.ts";
import { measureBesideWork } from "./beside-work.ts";
import { measureBulkRead } from "./bulk-read.ts";
import { countPerCall } from "./count-calls.ts";
import { measureDistance } from "./distance.ts";
import { measureLives } from "./event-lives.ts";
import { bundleKeyhole, bundleOwn, migrate, startInstance } from "./instance.ts";
import { measureLeases } from "./leases.ts";
import { measureLog } from "./log.ts";
import { measureCpu, measureStart } from "./measure-process.ts";
import { measureOwnTime } from "./own-time.ts";
import { plot } from "./plot.ts";
import { compareRatios, type Setup } from "./ratios.ts";
import { writeReport } from "./report.ts";
import { writeLogReport } from "./report-log.ts";
import { seedFloor, seedNames } from "./seed.ts";
import { measureSizes } from "./sizes.ts";
import { measureTiming } from "./timing.ts";

const HELP = `Measures Keyhole against a floor Worker, and writes RESULTS.md and store-size.svg. That takes some minutes.

  npm run bench -- [--rounds N] [--requests N] [--sizes "10,10000,300000"] [--out DIR]
  npm run bench -- --log N [--out DIR]

  --rounds N      how often each case is measured, in turn with the floor      [5]
  --requests N    requests of each measurement                                 [400]
  --sizes LIST    numbers of secrets in the store                              [10,10000,300000]
  --log N         measures instead an audit log of so many events, and what an event costs
                  over its life, and writes LOG.md: a million events take some minutes
  --out DIR       where the report is written, over the one that is there      [bench]
`;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    requests: { type: "string", default: "400" },
    sizes: { type: "string", default: "10,10000,300000" },
    log: { type: "string" },
    out: { type: "string", default: import.meta.dirname },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (values.help) console.log(HELP);
else if (values.log !== undefined) await measureLogOnly(readNumber("log", values.log));
else await main();

async function main(): Promise<void> {
  const [rounds, requests] = [readNumber("rounds", values.rounds), readNumber("requests", values.requests)];
  const sizes = values.sizes.split(",").map((size) => readNumber("sizes", size));
  const secrets = await makeSecrets();
  const token = await tokenFor(secrets.SIGNING_KEY);
  const bundles = {
    keyhole: bundleKeyhole("src/worker/worker.ts"),
    counting: bundleKeyhole("bench/workers/counting.ts"),
    alone: bundleKeyhole("bench/workers/alone.ts"),
    floor: bundleOwn("floor"),
    noop: bundleOwn("noop"),
    verify: bundleOwn("verify"),
  };
  const setup: Setup = { secrets, token, bundles, rounds, requests, sizes };

  say("starting both Workers");
  const keyhole = await startInstance(bundles.keyhole, secrets);
  await migrate(keyhole.db);
  await seedNames(keyhole, token);
  const floor = await startInstance(bundles.floor, secrets);
  await seedFloor(keyhole, floor);
  const limited = await startInstance(bundles.keyhole, secrets, { rateLimit: true });
  await migrate(limited.db);
  await seedNames(limited, token);

  say("comparing with the floor");
  const ratios = await compareRatios(setup, { keyhole, limited, floor }, say);
  say("measuring time and CPU of the process");
  const cpu = await measureCpu(setup, keyhole, floor);
  say("comparing answers that must take the same time");
  const timing = await measureTiming(setup, keyhole);
  for (const instance of [limited, floor, keyhole]) await instance.stop();
  say("giving again under a lease");
  const leases = await measureLeases(setup);
  say("resolving beside scheduled work");
  const besideWork = await measureBesideWork(setup);
  say("filling the store");
  const bySize = await measureSizes(setup, say);
  say("looking where the time goes");
  const ownTime = await measureOwnTime(setup);
  say("reading the local KV by itself");
  const bulkRead = await measureBulkRead(setup);
  say("counting what each call asks of the bindings");
  const counts = await countPerCall(setup);
  say("putting D1 and KV at a distance");
  const distance = await measureDistance(setup);
  say("starting Workers from nothing");
  const start = await measureStart(setup);

  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, "store-size.svg"), plot(bySize));
  writeFileSync(
    join(values.out, "RESULTS.md"),
    writeReport({ setup, ratios, leases, besideWork, ownTime, bulkRead, cpu, timing, bySize, counts, distance, start }),
  );
  say(`wrote RESULTS.md and store-size.svg in ${values.out}`);
}

async function measureLogOnly(events: number): Promise<void> {
  const secrets = await makeSecrets();
  const setup = { secrets, token: await tokenFor(secrets.SIGNING_KEY), script: bundleKeyhole("bench/workers/log.ts") };
  say("counting what happens in an event's life");
  const lives = await measureLives(setup);
  say(`a log of ${events} events`);
  const log = await measureLog(setup, events, say);
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, "LOG.md"), writeLogReport(log, lives));
  say(`wrote LOG.md in ${values.out}`);
}

function tokenFor(signingKey: string): Promise<string> {
  return signToken(signingKey, { org: "acme", subject: "bench", permissions: PERMISSIONS.join(" "), ttl: 86_400, issuer: "keyhole", audience: "keyhole" });
}

function readNumber(option: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  return fail(`--${option}: ${text} is not a number from 1 on`, "npm run bench -- --help");
}

function say(text: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
}
