import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fail } from "../scripts/settings.ts";
import { signToken } from "../scripts/sign-token.ts";
import { PERMISSIONS } from "../src/contract/permission.ts";
import { makeSecrets } from "../src/keys-file/make-secrets.ts";
import { measureLives } from "./event-lives.ts";
import { bundleKeyhole, bundleOwn } from "./instance.ts";
import { measureLog } from "./log.ts";
import { type Measure, PARTS, type Section } from "./parts.ts";
import type { Setup } from "./ratios.ts";
import { writeReport } from "./report.ts";
import { writeLogReport } from "./report-log.ts";

const HELP = `Measures Keyhole against a floor Worker, and writes RESULTS.md and store-size.svg. That takes some minutes.

  npm run bench -- [--rounds N] [--requests N] [--sizes "10,10000,300000"] [--out DIR]
  npm run bench -- --only PARTS [--rounds N] [--requests N] [--sizes LIST]
  npm run bench -- --log N [--out DIR]

  --rounds N      how often each case is measured, in turn with the floor      [5]
  --requests N    requests of each measurement                                 [400]
  --sizes LIST    numbers of secrets in the store                              [10,10000,300000]
  --only PARTS    measures nothing but these parts of the report, with commas in between, and prints
                  them to stdout instead of writing files: ${[...PARTS.keys()].slice(0, 6).join(", ")},
                  ${[...PARTS.keys()].slice(6).join(", ")}
  --log N         measures instead an audit log of so many events, and what an event costs
                  over its life, and writes LOG.md: a million events take some minutes
  --out DIR       where the report is written, over the one that is there      [bench]
`;

const HOW = "npm run bench -- --help";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    requests: { type: "string", default: "400" },
    sizes: { type: "string", default: "10,10000,300000" },
    only: { type: "string" },
    log: { type: "string" },
    out: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});

const { only, out = import.meta.dirname } = values;

if (values.help) console.log(HELP);
else if (only !== undefined && (values.log !== undefined || values.out !== undefined)) fail("--only goes with neither --log nor --out", HOW);
else if (values.log !== undefined) await measureLogOnly(readNumber("log", values.log));
else await main();

async function main(): Promise<void> {
  const [rounds, requests] = [readNumber("rounds", values.rounds), readNumber("requests", values.requests)];
  const sizes = values.sizes.split(",").map((size) => readNumber("sizes", size));
  const parts = only === undefined ? [...PARTS] : [...new Set(only.split(","))].map((name) => partOf(name.trim()));
  const secrets = await makeSecrets();
  const token = await tokenFor(secrets.SIGNING_KEY);
  say("bundling the Workers");
  const bundles = {
    keyhole: bundleKeyhole("src/worker/worker.ts"),
    counting: bundleKeyhole("bench/workers/counting.ts"),
    alone: bundleKeyhole("bench/workers/alone.ts"),
    floor: bundleOwn("floor"),
    noop: bundleOwn("noop"),
    reverseProxy: bundleOwn("reverse-proxy"),
    upstream: bundleOwn("upstream"),
    verify: bundleOwn("verify"),
  };
  const setup: Setup = { secrets, token, bundles, rounds, requests, sizes };

  const sections: Section[] = [];
  for (const [name, measure] of parts) {
    say(name);
    sections.push(await measure(setup, say));
  }
  const report = writeReport(
    setup,
    only,
    sections.flatMap(({ paragraphs }) => paragraphs),
  );
  if (only !== undefined) return void process.stdout.write(report);
  mkdirSync(out, { recursive: true });
  for (const { drawing } of sections) if (drawing !== undefined) writeFileSync(join(out, "store-size.svg"), drawing);
  writeFileSync(join(out, "RESULTS.md"), report);
  say(`wrote RESULTS.md and store-size.svg in ${out}`);
}

function partOf(name: string): [string, Measure] {
  const measure = PARTS.get(name);
  return measure ? [name, measure] : fail(`--only: there is no part ${name}; there are ${[...PARTS.keys()].join(", ")}`, HOW);
}

async function measureLogOnly(events: number): Promise<void> {
  const secrets = await makeSecrets();
  const setup = { secrets, token: await tokenFor(secrets.SIGNING_KEY), script: bundleKeyhole("bench/workers/log.ts") };
  say("counting what happens in an event's life");
  const lives = await measureLives(setup);
  say(`a log of ${events} events`);
  const log = await measureLog(setup, events, say);
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "LOG.md"), writeLogReport(log, lives));
  say(`wrote LOG.md in ${out}`);
}

function tokenFor(signingKey: string): Promise<string> {
  return signToken(signingKey, { org: "acme", subject: "bench", permissions: PERMISSIONS.join(" "), ttl: 86_400, issuer: "keyhole", audience: "keyhole" });
}

function readNumber(option: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  return fail(`--${option}: ${text} is not a number from 1 on`, HOW);
}

function say(text: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
}
