import { it } from "vitest";
import { runSequences } from "../model/run-sequences.ts";
import { startNodeWorker } from "./support/node-worker.ts";

it("does what the model does, in a thousand random sequences of calls", async () => {
  await runSequences(startNodeWorker(), { seed: Number(process.env.TEST_SEED) + 1, count: 1_000 });
}, 240_000);
