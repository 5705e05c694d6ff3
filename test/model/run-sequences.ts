import fc from "fast-check";
import { vi } from "vitest";
import { MAX_VERSIONS, type Model, RECOVERY_DAYS } from "./model.ts";
import { readCommands } from "./read-commands.ts";
import { connect, type Worker } from "./real.ts";
import { resolveCommands } from "./resolve-commands.ts";
import { scopeCommands } from "./scope-commands.ts";
import { versionCommands } from "./version-commands.ts";
import { writeCommands } from "./write-commands.ts";

const START = Date.parse("2026-12-01T00:00:00Z");
const BUILT_IN = new Map([
  ["A", "built-in A"],
  ["BUILT", "built-in"],
]);

/** The vars of a Worker that the model is a model of. */
export const MODEL_VARS = { MAX_VERSIONS: String(MAX_VERSIONS), RECOVERY_DAYS: String(RECOVERY_DAYS), PLATFORM_ORG: "platform" };

/**
 * Runs random sequences of commands against the model and a Worker, each in an organization of its own. A failure
 * prints the seed and the shortest sequence that shows it; `TEST_SEED` runs the same again.
 */
export async function runSequences(worker: Worker, { seed, count }: { seed: number; count: number }): Promise<void> {
  // Time only goes forward, through all sequences: the scheduled work is one for all organizations.
  let now = START;
  let made = 0;
  vi.useFakeTimers({ toFake: ["Date"], now });
  // A line for each of tens of thousands of requests takes longer than the requests.
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockReturnValue();
  const platform = await connect(worker, "platform", { now });
  for (const [name, value] of BUILT_IN) await platform.call(`PUT /v1/scopes/global/secrets/${name}`, { value });
  const all = [...writeCommands, ...versionCommands, ...scopeCommands, ...readCommands, ...resolveCommands];
  const property = fc.asyncProperty(fc.commands(all, { maxCommands: 24, size: "max" }), async (sequence) => {
    const model: Model = { now, secrets: new Map(), deleted: new Map(), parents: new Map(), builtin: BUILT_IN };
    const real = await connect(worker, `model-${made++}`, model);
    try {
      await fc.asyncModelRun(() => ({ model, real }), sequence);
    } finally {
      now = model.now;
    }
  });
  try {
    await fc.assert(property, { seed, numRuns: count, endOnFailure: false });
  } finally {
    vi.restoreAllMocks();
    vi.useRealTimers();
  }
}
