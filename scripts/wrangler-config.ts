import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "smol-toml";

/** The project's folder. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** What scripts read of wrangler.toml. */
export interface WranglerConfig {
  readonly name: string;
  readonly compatibility_date: string;
  readonly compatibility_flags: string[];
  readonly vars: Readonly<Record<string, string>>;
  readonly d1_databases: readonly { readonly binding: string; readonly database_id: string; readonly migrations_dir: string }[];
  readonly kv_namespaces: readonly { readonly binding: string; readonly id: string }[];
  readonly ratelimits: readonly {
    readonly name: string;
    readonly namespace_id: string;
    readonly simple: { readonly limit: number; readonly period: 10 | 60 };
  }[];
  readonly triggers: { readonly crons: readonly string[] };
  readonly observability?: { readonly head_sampling_rate?: number; readonly logs?: { readonly head_sampling_rate?: number } };
}

/** Reads wrangler.toml. What a deployment has taken out of it is empty. */
export function readConfig(): WranglerConfig {
  const empty = { compatibility_flags: [], vars: {}, d1_databases: [], kv_namespaces: [], ratelimits: [], triggers: { crons: [] } };
  return { ...empty, ...(parse(readFileSync(join(ROOT, "wrangler.toml"), "utf8")) as unknown as WranglerConfig) };
}
