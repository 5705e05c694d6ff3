// Installs what the lock file names, unless that is installed already. Runs before everything else, so it needs
// nothing but Node 20 and npm. What npm says goes to standard error: some commands print data on standard output.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const marker = join(root, "node_modules", ".installed-from");
const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");
const node = join(root, "node_modules", ".bin", process.platform === "win32" ? "node.cmd" : "node");

if (!existsSync(marker) || readFileSync(marker, "utf8") !== wanted || !existsSync(node)) {
  console.error("Installing the dependencies (once, and again when they change) …");
  const npm = process.env.npm_execpath;
  const [command, args] = npm ? [process.execPath, [npm]] : ["npm", []];
  const { status, error } = spawnSync(command, [...args, "ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: root, stdio: ["ignore", 2, 2] });
  if (error || status !== 0) {
    console.error(`npm ci failed${error ? `: ${error.message}` : ""}\nhint: check that npm reaches its registry, then run the command again`);
    process.exit(1);
  }
  if (!existsSync(node)) {
    console.error("the dependency `node` has not been set up\nhint: npm must be allowed to run its install script (is ignore-scripts set?)");
    process.exit(1);
  }
  writeFileSync(marker, wanted);
}
