import { env } from "cloudflare:workers";
import { afterAll, vi } from "vitest";
import { emptyStores } from "./empty-stores.ts";
import { endWork, noteTimers } from "./end-work.ts";

// Files run one after the other in one runtime. Each begins on an empty D1 and an empty KV, and with modules of its own:
// the Worker's too, so nothing is kept of the file before.
vi.resetModules();
const { default: fc } = await import("fast-check");
fc.configureGlobal({ seed: env.TEST_SEED });

await emptyStores();
// All at once: a batch is one transaction.
await env.DB.batch(env.TEST_MIGRATIONS.flatMap(({ queries }) => queries.map((query) => env.DB.prepare(query))));

const timers = noteTimers();
afterAll(async () => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  await endWork(timers);
});
