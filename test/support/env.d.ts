import type { D1Migration } from "@cloudflare/vitest-pool-workers";
import type { Env } from "../../src/worker/config.ts";
import type worker from "../../src/worker/worker.ts";

declare global {
  namespace Cloudflare {
    interface Env extends WorkerEnv {
      TEST_MIGRATIONS: D1Migration[];
      TEST_SEED: number;
    }
    interface GlobalProps {
      mainModule: { default: typeof worker };
    }
  }
  type WorkerEnv = Env;
}
