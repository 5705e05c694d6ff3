import { ConfigError, type ConfigPart, type Env, loadConfig } from "../config.ts";
import { readBacklog } from "../secrets/read-backlog.ts";
import { probeCiphertexts } from "../store/ciphertexts.ts";
import type { Backlog } from "../store/key-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";

/** Something that the Worker needs and cannot use, and what is wrong with it. */
export interface Unusable {
  readonly part: ConfigPart | "d1" | "kv";
  readonly detail: string;
}

/** What the Worker needs and cannot use, and what waits for somebody to look at it. Nothing of a secret is in it. */
export interface Readiness {
  readonly unusable: Unusable[];
  /** `null` where D1 is not usable. */
  readonly backlog: Backlog | null;
}

/** Tries everything that the Worker needs. */
export async function checkReadiness(env: Env): Promise<Readiness> {
  const [config, d1, kv] = await Promise.all([checkConfig(env), checkD1(env), checkKv(env)]);
  const backlog = d1.length === 0 ? await readBacklog({ db: env.DB }) : null;
  return { unusable: [...config, ...d1, ...kv], backlog };
}

async function checkConfig(env: Env): Promise<Unusable[]> {
  try {
    await loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return [...error.faults];
    throw error;
  }
}

async function checkD1({ DB }: Env): Promise<Unusable[]> {
  if (!DB) return [{ part: "d1", detail: "the binding DB is missing" }];
  try {
    const [tables] = await runBatch(DB, [
      DB.prepare("SELECT COUNT(*) AS n FROM sqlite_schema WHERE name IN ('secrets', 'versions', 'audit_events', 'tokens', 'audit_checkpoints')"),
    ]);
    return rowsOf<{ n: number }>(tables)[0]?.n === 5 ? [] : [{ part: "d1", detail: "the migrations have not been applied" }];
  } catch {
    return [{ part: "d1", detail: "the database does not answer" }];
  }
}

async function checkKv({ KV }: Env): Promise<Unusable[]> {
  if (!KV) return [{ part: "kv", detail: "the binding KV is missing" }];
  try {
    await probeCiphertexts(KV);
    return [];
  } catch {
    return [{ part: "kv", detail: "the namespace does not answer" }];
  }
}
