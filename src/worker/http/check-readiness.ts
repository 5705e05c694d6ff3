import { ConfigError, type ConfigPart, type Env, loadConfig } from "../config.ts";
import { type Backlog, checkStorage, type UnusableStore } from "../health/check-storage.ts";

/** Something that the Worker needs and cannot use, and what is wrong with it. */
type Unusable = UnusableStore | { readonly part: ConfigPart; readonly detail: string };

/** What the Worker needs and cannot use, and what waits for somebody to look at it. Nothing of a secret is in it. */
export interface Readiness {
  readonly unusable: Unusable[];
  /** `null` where D1 is not usable. */
  readonly backlog: Backlog | null;
}

/** Tries everything that the Worker needs: its configuration, D1 and KV. */
export async function checkReadiness(env: Env): Promise<Readiness> {
  const [faults, { unusable, backlog }] = await Promise.all([configFaults(env), checkStorage({ db: env.DB, kv: env.KV })]);
  return { unusable: [...faults, ...unusable], backlog };
}

async function configFaults(env: Env): Promise<Unusable[]> {
  try {
    await loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return [...error.faults];
    throw error;
  }
}
