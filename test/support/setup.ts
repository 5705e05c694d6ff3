import { env } from "cloudflare:workers";
import fc from "fast-check";

fc.configureGlobal({ seed: env.TEST_SEED });
// All at once, and without cloudflare:test, which would bring the whole Worker into files that need a part of it.
await env.DB.batch(env.TEST_SCHEMA.map((statement) => env.DB.prepare(statement)));
