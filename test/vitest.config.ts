import { existsSync, statfsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import { finalSchema } from "./node/support/final-schema.ts";
import { LongestFirst } from "./node/support/longest-first.ts";
import { packagesOfWorker } from "./node/support/packages-of-worker.ts";
import { TEST_SECRETS } from "./support/test-secrets.ts";

// Local D1 and KV are files in the temporary folder: in memory, where there is room, each test run is a fifth cheaper.
const MEMORY = "/dev/shm";
if (process.env.TMPDIR === undefined && existsSync(MEMORY)) {
  const { bavail, bsize } = statfsSync(MEMORY);
  if (bavail * bsize > 2 ** 30) process.env.TMPDIR = MEMORY;
}

// The configuration is read more than once in a run: the first reading chooses the seed.
if (process.env.TEST_SEED === undefined) {
  process.env.TEST_SEED = String(Math.floor(Math.random() * 2 ** 31));
  console.log(`property tests: TEST_SEED=${process.env.TEST_SEED}`);
}
const seed = Number(process.env.TEST_SEED);

/**
 * What the Worker and its tests import of packages: each is one module here, where zod alone has a hundred, and every test
 * file evaluates them. Only dotenv is one as it comes, and names modules of Node as no bundler for Workers finds them.
 */
const PACKAGES = ["fast-check", ...packagesOfWorker().filter((name) => name !== "dotenv")];

/** Tests in which each call of a binding goes wrong: every run has them in Node, and `npm run fuzz` on the platform too. */
const FAULTS = ["faults/requests.test.ts", "faults/scheduled.test.ts"];

/** Tests that are too long, or need more than Node, for every run: each is in the runs of one mode. */
const ONLY_IN = {
  "node/hostile-http.test.ts": "fuzz",
  "node/dotenv-peers.test.ts": "peers",
  "node/store-peers.test.ts": "peers",
  "node/vault-peers.test.ts": "peers",
  "node/use-peers.test.ts": "peers",
  "node/metrics-peers.test.ts": "peers",
  "node/browser/*.test.ts": "browser",
};

export default defineConfig(({ mode }) => ({
  // The runtime asks for vitest from here on: its packages are in this folder.
  root: import.meta.dirname,
  test: {
    silent: "passed-only",
    // One more than there are cores: some tests wait for servers that they have started. A percentage would be cut to the cores.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: "../wrangler.toml" },
            miniflare: {
              cf: false,
              // A deployment beside the other one, for what is carried from one to the other.
              d1Databases: { OTHER_DB: "other" },
              kvNamespaces: { OTHER_KV: "other" },
              // A .dev.vars that is there has a LOG_KEY and an OIDC_KEY: tests begin without them. What is shipped has no PLATFORM_ORG.
              bindings: {
                ...TEST_SECRETS,
                LOG_KEY: "",
                OIDC_KEY: "",
                PLATFORM_ORG: "platform",
                TEST_MIGRATIONS: await readD1Migrations("migrations"),
                TEST_SCHEMA: [...finalSchema()],
                TEST_SEED: seed,
                FUZZ_REQUESTS: fuzzRequests(mode),
                EVERY_CASE: mode === "fuzz",
              },
            },
          })),
        ],
        test: {
          name: "worker",
          // Starting a runtime for each file costs a third of the whole: support/setup.ts keeps them apart.
          isolate: false,
          deps: { optimizer: { ssr: { enabled: true, include: PACKAGES } } },
          testTimeout: 60_000,
          hookTimeout: 60_000,
          include: ["**/*.test.ts"],
          exclude: ["node/**", "node_modules/**", ...(mode === "fuzz" ? [] : FAULTS)],
          globalSetup: ["node/issuer-server.ts", "node/upstream-server.ts"],
          setupFiles: ["support/setup.ts"],
        },
      },
      {
        // Thousands of cells, on the same code without a way to go for each call of a binding.
        test: {
          name: "node-faults",
          include: FAULTS,
          globalSetup: ["node/issuer-server.ts", "node/upstream-server.ts"],
          alias: Object.fromEntries(["workers", "test"].map((name) => [`cloudflare:${name}`, `${import.meta.dirname}/node/support/cloudflare-${name}.ts`])),
          env: { TEST_SEED: String(seed), EVERY_CASE: mode === "fuzz" ? "1" : "" },
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "node",
          include: ["node/**/*.test.ts"],
          globalSetup: ["node/issuer-server.ts", "node/support/prepared-folder.ts", ...(mode === "browser" ? ["node/browser/support/serve-place.ts"] : [])],
          exclude: Object.entries(ONLY_IN).flatMap(([file, only]) => (mode === only ? [] : [file])),
          env: { TEST_SEED: String(seed), FUZZ_REQUESTS: String(fuzzRequests(mode)), EVERY_CASE: mode === "fuzz" ? "1" : "" },
          // A browser goes through all pages in one test.
          testTimeout: mode === "browser" ? 240_000 : 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
}));

/** How many hostile requests a run sends: 2,400, and in the mode `fuzz` 20,000. */
function fuzzRequests(mode: string): number {
  return Number(process.env.FUZZ_REQUESTS ?? (mode === "fuzz" ? 20_000 : 2_400));
}
