import type { Integrity } from "../../contract/integrity.ts";
import { type Config, ConfigError, type ConfigPart, type Env, loadConfig } from "../config.ts";
import { checkCompatibility, type MissingFlag } from "../health/check-compatibility.ts";
import { type Backlog, checkStorage, type UnusableStore } from "../health/check-storage.ts";
import { recentKeyFindings } from "../keys/recent-key-findings.ts";
import { readIntegrity } from "../log/read-integrity.ts";

/** Something about the Worker that its operator has to know, by the part that it is about. */
type Finding = UnusableStore | MissingFlag | { readonly part: ConfigPart; readonly detail: string };

/** What the Worker needs and cannot use, and what waits for somebody to look at it. Nothing of a secret is in it. */
export interface Readiness {
  readonly unusable: Finding[];
  /** What keeps some values from being read, and nothing else from working. */
  readonly degraded: Finding[];
  /** What works, and would be better otherwise. */
  readonly notices: Finding[];
  /** `null` where D1 is not usable. */
  readonly backlog: Backlog | null;
  /** `null` where D1 or the signing key is not usable. */
  readonly integrity: Integrity | null;
}

/** Tries everything that the Worker needs: its configuration, the runtime's flags, D1, KV and the keys. */
export async function checkReadiness(env: Env, now: Date): Promise<Readiness> {
  const [config, storage] = await Promise.all([configOf(env), checkStorage({ db: env.DB, kv: env.KV })]);
  const faults = config instanceof ConfigError ? config.faults : [];
  const keys = await keyFindings(env, config, storage.backlog !== null, now);
  const logs = await logFindings(env, config, storage.backlog !== null, now);
  return {
    unusable: [...faults, ...checkCompatibility(), ...storage.unusable, ...keys.unusable, ...logs.unusable],
    degraded: [...keys.degraded],
    notices: config instanceof ConfigError ? [] : noticesOf(config),
    backlog: logs.unusable.length > 0 ? null : storage.backlog,
    integrity: logs.integrity,
  };
}

/** What the last scheduled run found of the audit logs; `null` where that cannot be read. */
async function logFindings(
  env: Env,
  config: Config | ConfigError,
  usable: boolean,
  now: Date,
): Promise<{ readonly integrity: Integrity | null; readonly unusable: readonly UnusableStore[] }> {
  if (config instanceof ConfigError || !usable) return { integrity: null, unusable: [] };
  try {
    return { integrity: await readIntegrity({ db: env.DB, logKeys: config.logKeys, now }), unusable: [] };
  } catch {
    return { integrity: null, unusable: [{ part: "d1", detail: "the database does not answer" }] };
  }
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

function noticesOf({ logKeys }: Config): Finding[] {
  if (logKeys.secret === "LOG_KEY") return [];
  return [{ part: "log_key", detail: "LOG_KEY is not set: SIGNING_KEY signs the audit log too" }];
}
