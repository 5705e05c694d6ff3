#!/usr/bin/env node
// Starts the command line. In a clone where it is not built yet, it is built first.
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync } from "node:fs";
import * as module from "node:module";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

const built = new URL("../dist/keyhole.cjs", import.meta.url);
for (const script of ["install.mjs", "build.mjs"]) {
  if (existsSync(built)) break;
  const { status } = spawnSync(process.execPath, [fileURLToPath(new URL(`../scripts/${script}`, import.meta.url))], { stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(1);
}
// From Node 22 on: what was compiled once is read the next time.
const folder = cacheFolder();
if (folder) module.enableCompileCache?.(folder);
module.createRequire(import.meta.url)(fileURLToPath(built));

/** A folder that nobody else can write, if there is one: what is in it is run. The system's temporary folder, which Node would take, is everybody's. */
function cacheFolder() {
  try {
    const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "keyhole");
    if (!isAbsolute(folder)) return undefined;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = lstatSync(folder);
    return !process.getuid || (uid === process.getuid() && (mode & 0o022) === 0) ? folder : undefined;
  } catch {
    return undefined;
  }
}
