// Runs changesets: node scripts/changeset.mjs [add | status | version …]
// It is a package of its own, for those who make versions: nothing else needs it.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { install } from "./install.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
install("scripts/release");
const changeset = join(root, "scripts", "release", "node_modules", "@changesets", "cli", "bin.js");
const { status } = spawnSync(process.execPath, [changeset, ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
process.exitCode = status ?? 1;
