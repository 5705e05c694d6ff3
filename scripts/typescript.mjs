// Lets Node run the TypeScript in this folder: node --import ./scripts/typescript.mjs scripts/start.ts
// From 22.18 on Node does that by itself; for an older one esbuild takes the types out.
import { readFileSync } from "node:fs";
import * as module from "node:module";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  // From 22.1 on: what was compiled once is read the next time.
  module.enableCompileCache?.(fileURLToPath(new URL("../node_modules/.cache/node", import.meta.url)));
  if (!process.features.typescript) module.register(import.meta.url);
}

/** The hook (https://nodejs.org/api/module.html#loadurl-context-nextload), which runs in a thread of its own. */
export async function load(url, context, nextLoad) {
  if (!url.startsWith("file:") || !url.endsWith(".ts")) return nextLoad(url, context);
  const { transform } = await import("esbuild");
  const { code } = await transform(readFileSync(fileURLToPath(url), "utf8"), { loader: "ts", sourcefile: url, sourcemap: "inline" });
  return { format: "module", source: code, shortCircuit: true };
}
