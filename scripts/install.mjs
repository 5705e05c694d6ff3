// Installs what the lock file names, unless that is installed already. Runs before everything else, so it needs
// nothing but Node 20 and npm. What npm says goes to standard error: some commands print data on standard output.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync, writeFileSync } from "node:fs";
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
  // npm ci empties the folder first: behind a link that would be somebody else's.
  if (lstatSync(join(root, "node_modules"), { throwIfNoEntry: false })?.isSymbolicLink()) {
    console.error(
      "node_modules is a link to another folder, which does not hold what the lock file names\nhint: remove the link, or install in the folder that it leads to",
    );
    process.exit(1);
  }
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
