import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";

fc.configureGlobal({ seed: env.TEST_SEED });
await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
