import { it } from "vitest";
import { runSequences } from "../model/run-sequences.ts";
import { startNodeWorker } from "./support/node-worker.ts";

/** Each in a deployment of its own: a scheduled run looks at the log of every organization that there is. */
const DEPLOYMENTS = process.env.EVERY_CASE ? 50 : 6;
const SEQUENCES = 20;

it("does what the model does, in hundreds of random sequences of calls", async () => {
  const seed = Number(process.env.TEST_SEED) + 1;
  for (let n = 0; n < DEPLOYMENTS; n++) await runSequences(startNodeWorker(), { seed: seed + 1_000 * n, count: SEQUENCES });
}, 240_000);
