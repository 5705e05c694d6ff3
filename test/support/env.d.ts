import type { D1Migration } from "@cloudflare/vitest-pool-workers";
import type { Env } from "../../src/worker/config.ts";

declare global {
  namespace Cloudflare {
    interface Env extends WorkerEnv {
      TEST_MIGRATIONS: D1Migration[];
      /** The statements that make a database as all migrations leave it. */
      TEST_SCHEMA: readonly string[];
      OTHER_DB: D1Database;
      OTHER_KV: KVNamespace;
      TEST_SEED: number;
      FUZZ_REQUESTS: number;
      /** Whether everything is tried of which another run tries a part, chosen by the seed: `npm run fuzz`. */
      EVERY_CASE: boolean;
    }
    interface GlobalProps {
      mainModule: typeof import("../../src/worker/worker.ts");
    }
  }
  type WorkerEnv = Env;
}

declare module "vitest" {
  interface ProvidedContext {
    /** Where the tests' issuer listens. */
    issuer: string;
    /** Where the API of the tests listens. */
    upstream: string;
  }
}
