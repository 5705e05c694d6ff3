import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "dotenv";
import { ROOT, readConfig } from "./wrangler-config.ts";

/** Where the vars and Worker secrets of the local instance are kept. */
export const DEV_VARS = join(ROOT, ".dev.vars");

/** The vars of wrangler.toml; one that is set in the environment takes the environment's value. */
export function readVars(): Record<string, string> {
  return Object.fromEntries(Object.entries(readConfig().vars).map(([name, value]) => [name, process.env[name] ?? value]));
}

/** A Worker secret: from the environment, or else from .dev.vars. */
export function readSecret(name: "ROOT_KEY" | "KEYRING" | "SIGNING_KEY"): string | undefined {
  if (process.env[name]) return process.env[name];
  return existsSync(DEV_VARS) ? parse(readFileSync(DEV_VARS, "utf8"))[name] : undefined;
}

/** Ends a command: what is wrong, and what to do. */
export function fail(message: string, hint: string): never {
  console.error(`${message}\nhint: ${hint}`);
  process.exit(1);
}
