import { env } from "cloudflare:workers";
import { it } from "vitest";
import { createApp } from "../../src/worker/http/app.ts";
import { runScheduled } from "../../src/worker/scheduled.ts";
import { sign } from "../support/sign.ts";
import { MODEL_VARS, runSequences } from "./run-sequences.ts";

// Most sequences run without the platform, in test/node/model-…: there a call takes a tenth of the time.
it("does on the platform what the model does, in random sequences of calls", async () => {
  const worker = { app: createApp(), runScheduled, env: { ...env, ...MODEL_VARS }, sign: (org: string) => sign({ org, exp: 4_102_444_800 }) };
  await runSequences(worker, { seed: env.TEST_SEED, count: env.EVERY_CASE ? 60 : 30 });
}, 240_000);
