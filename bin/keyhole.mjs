#!/usr/bin/env node
// Starts the command line. In a clone where it is not built yet, it is built first.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import * as module from "node:module";
import { fileURLToPath } from "node:url";

const built = new URL("../dist/keyhole.cjs", import.meta.url);
for (const script of ["install.mjs", "build.mjs"]) {
  if (existsSync(built)) break;
  const { status } = spawnSync(process.execPath, [fileURLToPath(new URL(`../scripts/${script}`, import.meta.url))], { stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(1);
}
// From Node 22 on: what was compiled once is read the next time.
module.enableCompileCache?.();
module.createRequire(import.meta.url)(fileURLToPath(built));
