import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { parse } from "smol-toml";
import { ROOT } from "./settings.ts";

/** The parts of wrangler.toml that a deployment on one machine goes by. */
interface WranglerConfig {
  readonly name: string;
  readonly compatibility_date: string;
  readonly compatibility_flags?: readonly string[];
  readonly d1_databases: readonly { readonly binding: string; readonly database_id: string; readonly migrations_dir: string }[];
  readonly kv_namespaces: readonly { readonly binding: string; readonly id: string }[];
  readonly ratelimits: readonly {
    readonly name: string;
    readonly namespace_id: string;
    readonly simple: { readonly limit: number; readonly period: 10 | 60 };
  }[];
}

/** Where a deployment listens, what it is told, and where its data is. */
export interface LocalOptions {
  /** The port on 127.0.0.1; 0 for one that is free. */
  readonly port: number;
  /** Vars and Worker secrets. */
  readonly bindings: Readonly<Record<string, string>>;
  /** The folder of the data, as `wrangler dev --persist-to` takes it. */
  readonly persistTo: string;
  readonly print: (line: string) => void;
}

/** A Worker that runs on this machine. */
export interface LocalDeployment {
  readonly url: string;
  /** Makes the scheduled run happen, as the platform's clock does. */
  readonly runScheduled: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export function readConfig(): WranglerConfig {
  return parse(readFileSync(join(ROOT, "wrangler.toml"), "utf8")) as unknown as WranglerConfig;
}

/**
 * Runs the Worker on the loopback address, with its own D1 and KV, by Miniflare alone. Clients reach the Worker's own
 * socket: what Miniflare and `wrangler dev` offer beside it (an explorer of the data, a store of traces, a handler for
 * the scheduled run) is not there.
 */
export async function startLocally({ port, bindings, persistTo, print }: LocalOptions): Promise<LocalDeployment> {
  const { name, compatibility_date, compatibility_flags = [], ratelimits, ...config } = readConfig();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...quiet(print),
      resourcePersistencePath: dataFolder(persistTo),
      workers: [
        {
          name,
          modules: [{ type: "ESModule", path: "worker.js", contents: await bundleWorker() }],
          compatibilityDate: compatibility_date,
          compatibilityFlags: [...compatibility_flags],
          bindings: { ...bindings },
          ...storesOf(config),
          ratelimits: Object.fromEntries(ratelimits.map(({ name, namespace_id, simple }) => [name, { namespace_id, simple }])),
          unsafeDirectSockets: [{ host: "127.0.0.1", port }],
        },
      ],
    }),
  );
  await miniflare.ready;
  await migrate(miniflare);
  const worker = await miniflare.getWorker(name);
  return {
    url: (await miniflare.unsafeGetDirectURL(name)).origin,
    runScheduled: async () => {
      const { outcome } = await worker.scheduled({ cron: "* * * * *", scheduledTime: new Date() });
      if (outcome !== "ok") print(`the scheduled run ended with ${outcome}`);
    },
    stop: () => miniflare.dispose(),
  };
}

/** How many values are stored in a folder, without running the Worker. */
export async function countStoredValues(persistTo: string): Promise<number> {
  if (!existsSync(join(dataFolder(persistTo), "d1"))) return 0;
  const script = "export default { fetch: () => new Response() }";
  const stores = storesOf(readConfig());
  const miniflare = new Miniflare(convertV4MiniflareOptions({ ...quiet(), resourcePersistencePath: dataFolder(persistTo), modules: true, script, ...stores }));
  try {
    const db = await miniflare.getD1Database("DB");
    if (!(await db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'versions'").first())) return 0;
    return (await db.prepare("SELECT COUNT(*) AS n FROM versions WHERE wrapped_key IS NOT NULL").first<number>("n")) ?? 0;
  } finally {
    await miniflare.dispose();
  }
}

/** Miniflare's own server listens on a port of its choice, for this process; nothing is asked of the network. */
function quiet(print: (line: string) => void = () => {}) {
  return {
    host: "127.0.0.1",
    port: 0,
    cf: false,
    log: new Log(LogLevel.ERROR),
    handleStructuredLogs: ({ message }: { message: string }) => print(message),
  } as const;
}

function storesOf({ d1_databases, kv_namespaces }: Pick<WranglerConfig, "d1_databases" | "kv_namespaces">) {
  return {
    d1Databases: Object.fromEntries(d1_databases.map(({ binding, database_id }) => [binding, database_id])),
    kvNamespaces: Object.fromEntries(kv_namespaces.map(({ binding, id }) => [binding, id])),
  };
}

/** `wrangler dev` keeps the data of its present format in this folder. */
function dataFolder(persistTo: string): string {
  return join(persistTo, "v3");
}

async function bundleWorker(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, "scripts/local-worker.ts")],
    bundle: true,
    write: false,
    format: "esm",
    target: "esnext",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    sourcemap: "inline",
    logLevel: "warning",
    plugins: [nodeBuiltins()],
  });
  return outputFiles[0]?.text ?? "";
}

/** CommonJS packages ask for Node's modules by `require("fs")`; the runtime has them for `import` alone. */
function nodeBuiltins() {
  return {
    name: "node-builtins",
    setup({ onResolve, onLoad }: import("esbuild").PluginBuild) {
      onResolve({ filter: new RegExp(`^(?:${builtinModules.join("|")})$`) }, ({ path }) => ({ path, namespace: "node-builtin" }));
      onLoad({ filter: /.*/, namespace: "node-builtin" }, ({ path }) => ({
        contents: `export * from "node:${path}"; export { default } from "node:${path}";`,
      }));
    },
  };
}

/** Applies the migrations that were not, each in a transaction with its entry in the table that wrangler keeps too. */
async function migrate(miniflare: Miniflare): Promise<void> {
  const [{ binding, migrations_dir } = { binding: "DB", migrations_dir: "migrations" }] = readConfig().d1_databases;
  const db = await miniflare.getD1Database(binding);
  await db
    .prepare(
      "CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)",
    )
    .run();
  const { results } = await db.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  for (const file of readdirSync(join(ROOT, migrations_dir)).sort()) {
    if (applied.has(file)) continue;
    const sql = readFileSync(join(ROOT, migrations_dir, file), "utf8");
    await db.batch([db.prepare(sql), db.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(file)]);
  }
}
