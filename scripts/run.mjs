// Runs a command with what it needs: node scripts/run.mjs [--tests] COMMAND …
// That is what the lock file names, with --tests also what test/package-lock.json names, and a Node that runs
// TypeScript and wrangler, from scripts/node where the machine's own is too old for that.
import { spawn } from "node:child_process";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { install } from "./install.mjs";
import { shellLine } from "./shell-line.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tests = process.argv[2] === "--tests";
const [command, ...args] = process.argv.slice(tests ? 3 : 2);
const folders = [".", ...(tests ? ["test"] : []), ...(process.features.typescript ? [] : ["scripts/node"])];
for (const folder of folders) install(folder);

const PATH = [...folders.reverse().map((folder) => join(root, folder, "node_modules", ".bin")), process.env.PATH].join(delimiter);
const windows = process.platform === "win32";
const options = { stdio: "inherit", env: { ...process.env, PATH } };
const child = windows ? spawn(shellLine([command, ...args]), { ...options, shell: true }) : spawn(command, args, options);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
child.on("exit", (code, signal) => process.exit(signal ? 1 : code));
