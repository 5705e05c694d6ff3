import type { Backlog } from "../../contract/backlog.ts";
import type { Integrity } from "../../contract/integrity.ts";
import { type Config, ConfigError, type ConfigPart, type Env, loadConfig } from "../config.ts";
import { checkCompatibility, type MissingFlag } from "../health/check-compatibility.ts";
import { checkStorage, type UnusableStore } from "../health/check-storage.ts";
import { readBacklog } from "../health/read-backlog.ts";
import { recentKeyFindings } from "../keys/recent-key-findings.ts";
import { readIntegrity } from "../log/read-integrity.ts";

/** Something about the Worker that its operator has to know, by the part that it is about. Nothing of a secret is in it. */
type Finding = UnusableStore | MissingFlag | { readonly part: ConfigPart; readonly detail: string };

/** What the Worker needs and cannot use, and what only keeps some values from being read. */
export interface Readiness {
  readonly unusable: readonly Finding[];
  readonly degraded: readonly Finding[];
}

/** Tries everything that the Worker needs: its configuration, the runtime's flags, D1, KV and the keys. */
export async function checkReadiness(env: Env, now: Date): Promise<Readiness> {
  const [config, stores] = await Promise.all([configOf(env), checkStorage({ db: env.DB, kv: env.KV, now })]);
  const faults = config instanceof ConfigError ? config.faults : [];
  const keys = await keyFindings(env, config, hasDatabase(stores), now);
  return { unusable: [...faults, ...checkCompatibility(), ...stores, ...keys.unusable], degraded: keys.degraded };
}

/** Whether D1 is not among what cannot be used. */
export function hasDatabase(unusable: readonly Finding[]): boolean {
  return unusable.every(({ part }) => part !== "d1");
}

/** What else an operator wants to know of a Worker. */
export interface Details {
  /** What works, and would be better otherwise. */
  readonly notices: readonly Finding[];
  readonly backlog: Backlog;
  readonly integrity: Integrity;
}

/**
 * What works and would be better otherwise, what waits for somebody to look at it, and what the last scheduled run found of
 * the audit logs.
 *
 * @throws {Problem} `storage-unavailable`.
 */
export async function readDetails({ DB: db }: Env, config: Config, now: Date): Promise<Details> {
  const { logKeys } = config;
  const { integrity, retentionDays } = await readIntegrity({ db, logKeys, now });
  const backlog = await readBacklog({ ...config, db, now, retentionDays: retentionDays ?? config.retentionDays });
  return { notices: noticesOf(logKeys), backlog, integrity };
}

async function configOf(env: Env): Promise<Config | ConfigError> {
  try {
    return await loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

/** Of a database that does not answer nothing more is asked: that is said already. */
async function keyFindings(env: Env, config: Config | ConfigError, asked: boolean, now: Date) {
  if (config instanceof ConfigError || !asked) return { unusable: [], degraded: [] };
  try {
    return await recentKeyFindings({ db: env.DB, keyring: config.keyring, now });
  } catch {
    return { unusable: [{ part: "d1" as const, detail: "the database does not answer" }], degraded: [] };
  }
}

function noticesOf({ secret }: Config["logKeys"]): Finding[] {
  if (secret === "LOG_KEY") return [];
  return [{ part: "log_key", detail: "LOG_KEY is not set: SIGNING_KEY signs the audit log too" }];
}
