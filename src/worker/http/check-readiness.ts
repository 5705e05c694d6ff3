import type { Integrity } from "../../contract/integrity.ts";
import { type Config, ConfigError, type ConfigPart, type Env, loadConfig } from "../config.ts";
import { type Backlog, checkStorage, type UnusableStore } from "../health/check-storage.ts";
import { readIntegrity } from "../log/read-integrity.ts";

/** Something that the Worker needs and cannot use, and what is wrong with it. */
type Unusable = UnusableStore | { readonly part: ConfigPart; readonly detail: string };

/** What the Worker needs and cannot use, and what waits for somebody to look at it. Nothing of a secret is in it. */
export interface Readiness {
  readonly unusable: Unusable[];
  /** `null` where D1 is not usable. */
  readonly backlog: Backlog | null;
  /** `null` where D1 or the signing key is not usable. */
  readonly integrity: Integrity | null;
}

/** Tries everything that the Worker needs: its configuration, D1 and KV. */
export async function checkReadiness(env: Env, now: Date): Promise<Readiness> {
  const [config, { unusable, backlog }] = await Promise.all([configOrFaults(env), checkStorage({ db: env.DB, kv: env.KV })]);
  if (Array.isArray(config)) return { unusable: [...config, ...unusable], backlog, integrity: null };
  if (!backlog) return { unusable: [...unusable], backlog, integrity: null };
  try {
    return { unusable: [...unusable], backlog, integrity: await readIntegrity({ db: env.DB, signingKeys: config.signingKeys, now }) };
  } catch {
    return { unusable: [...unusable, { part: "d1", detail: "the database does not answer" }], backlog: null, integrity: null };
  }
}

async function configOrFaults(env: Env): Promise<Config | Unusable[]> {
  try {
    return await loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return [...error.faults];
    throw error;
  }
}
