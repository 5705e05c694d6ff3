import { existsSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare, type V4WorkerOptions } from "miniflare";
import { ROOT, readConfig } from "../wrangler-config.ts";
import { applyMigrations } from "./apply-migrations.ts";
import { bundleWorker } from "./bundle-worker.ts";
import { portTaken } from "./refusal.ts";
import { runSchedule, runScheduled } from "./run-schedule.ts";
import { type Database, storageOptions, withDatabase } from "./storage.ts";

// At the edge an isolate has 128 MB. Here nothing limits it, and V8 lets garbage lie while there is room: a gigabyte
// after 100,000 resolves. Limited to twice what the edge has, the runtime stays at about 600 MB.
process.env.MINIFLARE_WORKERD_V8_FLAGS ??= "--max-heap-size=256";

const CONSOLE = join(ROOT, "dist", "console");
/** As wrangler.toml has them. */
const ASSETS = {
  directory: CONSOLE,
  binding: "CONSOLE",
  run_worker_first: true,
  routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: true },
  assetConfig: { html_handling: "none", not_found_handling: "none" },
} as const satisfies V4WorkerOptions["assets"];

/** Vars and Worker secrets. */
type Bindings = Readonly<Record<string, string>>;

/** A Worker beside this one, as Miniflare is told of it, and its port. */
export type BesideOptions = V4WorkerOptions & { readonly name: string; readonly port: number };

/** A Worker that was bundled already, by {@link bundleWorker}, and whose database in `persistTo` is migrated. */
export interface Prepared {
  readonly script: string;
}

/** How the Worker is served. */
export interface ServeOptions {
  /** The port on 127.0.0.1; 0 takes a free one. */
  readonly port: number;
  /** Where the data is kept. */
  readonly persistTo: string;
  readonly bindings: Bindings;
  /** Milliseconds from one scheduled run to the next, `null` for none; unless given a minute. */
  readonly period?: number | null;
  /** The path of the main module from the project's folder, unless it is the Worker's own. */
  readonly entry?: string;
  /** What has been done already, and is not done again. */
  readonly prepared?: Prepared;
  /** Another Worker, served beside this one on loopback: it may have bindings to it. */
  readonly beside?: BesideOptions | undefined;
  /** Gets each line that a Worker logs; unless given they go to standard output. */
  readonly onLine?: (line: string) => void;
}

/** A Worker that is being served. */
export interface Served {
  readonly url: URL;
  /** The address of the Worker beside it. */
  readonly beside: URL | undefined;
  /** Has it go on with other vars and Worker secrets. A port that was any free one is another one then: it is returned with the address. */
  readonly change: (bindings: Bindings) => Promise<URL>;
  /** Its D1 database. */
  readonly database: () => Promise<Database>;
  /** Has the scheduled run happen once, now, beside those that happen by themselves; says how it ended. */
  readonly runScheduled: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

/**
 * Serves this project's Worker on loopback as wrangler.toml has it, once its database is migrated, and with its
 * scheduled run. The port leads to the Worker and to nothing else. Miniflare's own port does too, unless a request
 * knows a secret of this process: what it could open beside, the explorer, traces and the handlers of triggers, is off.
 *
 * @throws {Refusal} when the port is taken.
 */
export async function serveWorker(options: ServeOptions): Promise<Served> {
  const { port, persistTo, bindings, beside, prepared, entry = "scripts/local/worker-entry.ts", period = 60_000, onLine = console.log } = options;
  const { name, compatibility_date, compatibility_flags, ratelimits, triggers } = readConfig();
  const { script } = prepared ?? (await prepare(entry, persistTo));
  const { d1Databases, kvNamespaces, ...shared } = storageOptions(persistTo);
  const workerWith = (bindings: Bindings): V4WorkerOptions => ({
    d1Databases,
    kvNamespaces,
    name,
    modules: true,
    script,
    compatibilityDate: compatibility_date,
    compatibilityFlags: compatibility_flags,
    bindings: { ...bindings },
    // The console, where it was built.
    ...(existsSync(CONSOLE) && { assets: ASSETS }),
    ratelimits: Object.fromEntries(ratelimits.map(({ name, ...limit }) => [name, limit])),
    unsafeDirectSockets: [{ host: "127.0.0.1", port }],
  });
  const others = beside === undefined ? [] : [{ ...beside, unsafeDirectSockets: [{ host: "127.0.0.1", port: beside.port }] }];
  const optionsWith = (bindings: Bindings) =>
    convertV4MiniflareOptions({
      ...shared,
      workers: [workerWith(bindings), ...others],
      unsafeLocalExplorer: false,
      unsafeObservability: false,
      unsafeTriggerHandlers: false,
      handleStructuredLogs: ({ message }) => onLine(message),
    });
  const miniflare = new Miniflare(optionsWith(bindings));
  try {
    await miniflare.ready;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_ADDRESS_IN_USE") throw portTaken(port === 0 && beside ? beside.port : port);
    throw error;
  }
  const endSchedule = period === null ? () => undefined : runSchedule(miniflare, triggers.crons, period);
  const stop = async () => {
    endSchedule();
    await miniflare.dispose();
  };
  return {
    url: await miniflare.unsafeGetDirectURL(),
    beside: beside && (await miniflare.unsafeGetDirectURL(beside.name)),
    change: async (bindings) => {
      await miniflare.setOptions(optionsWith(bindings));
      return miniflare.unsafeGetDirectURL();
    },
    database: () => miniflare.getD1Database("DB"),
    runScheduled: () => runScheduled(miniflare, triggers.crons[0] ?? ""),
    stop,
  };
}

async function prepare(entry: string, persistTo: string): Promise<Prepared> {
  const [script] = await Promise.all([bundleWorker(entry), migrate(persistTo)]);
  return { script };
}

function migrate(persistTo: string): Promise<void> {
  const folder = readConfig().d1_databases.find(({ binding }) => binding === "DB")?.migrations_dir ?? "migrations";
  return withDatabase(persistTo, (db) => applyMigrations(db, join(ROOT, folder)));
}
