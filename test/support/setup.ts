import { env } from "cloudflare:workers";
import fc from "fast-check";
import { vi } from "vitest";

// Files that run one after another in one runtime share it and nothing else: each has the code anew, with what that remembers, and empty storage.
vi.resetModules();
fc.configureGlobal({ seed: env.TEST_SEED });
const { results } = await env.DB.prepare(
  "SELECT 'DROP ' || type || ' \"' || name || '\"' AS drop_it FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*' AND type <> 'index' ORDER BY type = 'table', type = 'view'",
).all<{ drop_it: string }>();
// All at once, and without cloudflare:test, which would bring the whole Worker into files that need a part of it.
const statements = ["PRAGMA defer_foreign_keys = on", ...results.map(({ drop_it }) => drop_it), ...env.TEST_SCHEMA];
await env.DB.batch(statements.map((statement) => env.DB.prepare(statement)));
for (const kv of [env.KV, env.OTHER_KV]) {
  for (let { keys } = await kv.list(); keys.length > 0; { keys } = await kv.list()) await Promise.all(keys.map(({ name }) => kv.delete(name)));
}
