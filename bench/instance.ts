import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { D1Database, KVNamespace } from "@cloudflare/workers-types";
import { buildSync } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { applyMigrations } from "../scripts/local/apply-migrations.ts";
import { ROOT, readConfig } from "../scripts/wrangler-config.ts";
import { QUOTAS } from "../src/contract/quota.ts";
import type { WorkerSecrets } from "../src/keys-file/worker-secrets.ts";

// The Worker writes its log, but nobody reads it: that would be measured too, in the process that makes the load.
if (process.platform !== "win32") process.env.MINIFLARE_WORKERD_PATH ??= quietWorkerd();

function quietWorkerd(): string {
  const { default: workerd } = createRequire(import.meta.url)("workerd") as { default: string };
  const folder = mkdtempSync(join(tmpdir(), "keyhole-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "workerd");
  writeFileSync(path, `#!/bin/sh\nexec '${workerd}' "$@" >/dev/null\n`, { mode: 0o755 });
  return path;
}

/** A Worker in workerd, behind nothing but Miniflare's own server. */
export interface Instance {
  readonly url: URL;
  readonly db: D1Database;
  readonly kv: KVNamespace;
  /** Where V8's inspector of the Worker's own isolate listens, if it was asked for. */
  readonly inspector: URL | undefined;
  /** Has one scheduled run happen. */
  readonly runScheduled: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** The Worker's bundle, as it is deployed. */
export function bundleKeyhole(entry: string): string {
  const out = mkdtempSync(join(tmpdir(), "keyhole-bench-"));
  const wrangler = fileURLToPath(new URL("bin/wrangler.js", import.meta.resolve("wrangler/package.json")));
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" };
  const { status, stderr } = spawnSync(process.execPath, [wrangler, "deploy", entry, "--dry-run", "--minify", "--outdir", out], {
    cwd: ROOT,
    env,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  const [name = "worker.js"] = readdirSync(out).filter((file) => file.endsWith(".js"));
  const script = readFileSync(join(out, name), "utf8");
  rmSync(out, { recursive: true });
  return script;
}

/** The bundle of a Worker of the benchmark's own, by its name. */
export function bundleOwn(name: "floor" | "noop" | "reverse-proxy" | "upstream" | "verify"): string {
  const { outputFiles } = buildSync({
    entryPoints: [join(ROOT, `bench/workers/${name}.ts`)],
    bundle: true,
    minify: true,
    format: "esm",
    target: "esnext",
    conditions: ["workerd", "worker"],
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

/** What an instance can have beside the bindings that it needs. */
export interface Extras {
  readonly vars?: Record<string, string>;
  /** An inspector makes it slower: what it logs is kept. */
  readonly inspected?: boolean;
  /** The rate limit that a deployment has on resolves, wide enough to hold nobody up. */
  readonly rateLimit?: boolean;
  /** A socket of the Worker's own: without it each request goes through Miniflare's entry Worker, which takes longer than a short answer. */
  readonly direct?: boolean;
}

const NAME = "worker";
/** A load is one organization's: no quota is to hold it up. */
const WIDEST = Object.fromEntries(Object.entries(QUOTAS).map(([quota, { most }]) => [quota, most]));

/** Starts a Worker with an empty D1 and KV of its own. */
export async function startInstance(script: string, secrets: Partial<WorkerSecrets>, { vars, inspected, rateLimit, direct }: Extras = {}): Promise<Instance> {
  const { compatibility_date, compatibility_flags } = readConfig();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: NAME,
      modules: true,
      script,
      compatibilityDate: compatibility_date,
      compatibilityFlags: compatibility_flags,
      bindings: { ...secrets, PLATFORM_ORG: "platform", QUOTAS: JSON.stringify(WIDEST), ...vars },
      d1Databases: ["DB"],
      kvNamespaces: ["KV"],
      handleStructuredLogs: () => undefined,
      ...(direct && { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] }),
      ...(inspected && { inspectorPort: 0 }),
      ...(rateLimit && { ratelimits: { RESOLVE_LIMIT: { namespace_id: "1001", simple: { limit: 10_000_000, period: 10 } } } }),
    }),
  );
  const entry = await miniflare.ready;
  const url = direct ? await miniflare.unsafeGetDirectURL(NAME) : entry;
  const db = (await miniflare.getD1Database("DB")) as unknown as D1Database;
  const kv = (await miniflare.getKVNamespace("KV")) as unknown as KVNamespace;
  const inspector = inspected ? new URL(`/core:user:${NAME}`, await miniflare.getInspectorURL()) : undefined;
  const runScheduled = async () => void (await (await miniflare.getWorker(NAME)).scheduled({ cron: "* * * * *" }));
  return { url, db, kv, inspector, runScheduled, stop: () => miniflare.dispose() };
}

/** Applies the project's migrations. */
export async function migrate(db: D1Database): Promise<void> {
  await applyMigrations(db, join(ROOT, "migrations"));
}
