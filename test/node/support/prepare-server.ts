import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { applyMigrations } from "../../../scripts/local/apply-migrations.ts";
import { bundleWorker } from "../../../scripts/local/bundle-worker.ts";
import type { Prepared } from "../../../scripts/local/serve-worker.ts";
import { withDatabase } from "../../../scripts/local/storage.ts";
import { ROOT } from "../../../scripts/wrangler-config.ts";
import { keepFirst } from "./keep-first.ts";

/** The Worker's own main module, as it is served on a machine. */
const WORKER = "scripts/local/worker-entry.ts";

const made = new Map<string, Promise<string>>();

/**
 * Puts an empty database, migrated, into a folder that has none, and bundles a main module: both are made once in a run, by
 * whoever needs them first, where a server would take half of its start for them.
 *
 * @returns the bundle, and the path of a file that has it.
 */
export async function prepareServer(persistTo: string, entry: string = WORKER): Promise<Prepared & { readonly bundle: string }> {
  const data = await once("data", async (path) => {
    mkdirSync(path);
    await withDatabase(path, (db) => applyMigrations(db, join(ROOT, "migrations")));
  });
  if (!existsSync(join(persistTo, "v3"))) cpSync(data, persistTo, { recursive: true });
  const bundle = await once(entry.replaceAll("/", "-"), async (path) => writeFileSync(path, await bundleWorker(entry)));
  return { bundle, script: readFileSync(bundle, "utf8") };
}

/** What the run has under a name. Of two processes that make it at once, the first one's stays. */
function once(name: string, make: (path: string) => Promise<void>): Promise<string> {
  const path = join(inject("prepared"), name);
  const making = made.get(name) ?? (existsSync(path) ? Promise.resolve(path) : makeAt(path, make));
  made.set(name, making);
  return making;
}

async function makeAt(path: string, make: (path: string) => Promise<void>): Promise<string> {
  const draft = `${path}-${process.pid}`;
  await make(draft);
  keepFirst(draft, path);
  return path;
}
