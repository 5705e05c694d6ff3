// Installs what the lock file names, unless that is there already, however it came there. With --omit=dev only what
// Keyhole runs on, without what checks and tests it. Runs before everything else, so it needs nothing but Node 20 and
// npm. What npm says goes to standard error: some commands print data on standard output.
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const omitDev = process.argv.includes("--omit=dev");

if (!isInstalled()) {
  console.error("Installing the dependencies (once, and again when they change) …");
  // npm empties the folder first: behind a link that would be somebody else's.
  if (lstatSync(join(root, "node_modules"), { throwIfNoEntry: false })?.isSymbolicLink())
    fail(
      "node_modules is a link to another folder, which does not hold what the lock file names",
      "remove the link, or install in the folder that it leads to",
    );
  install();
  if (!isInstalled()) fail("npm has not installed what the lock file names", "npm must be allowed to run install scripts (is ignore-scripts set?)");
}

/** Whether everything that the lock file names for this machine is there: npm keeps a list of what it has installed. */
function isInstalled() {
  const installed = packagesIn("node_modules/.package-lock.json");
  const wanted = Object.entries(packagesIn("package-lock.json")).filter(
    ([path, { dev, optional, devOptional }]) => path !== "" && !optional && !(omitDev && (dev || devOptional)),
  );
  if (!wanted.every(([path, { version, integrity }]) => installed[path]?.version === version && installed[path]?.integrity === integrity)) return false;
  return omitDev || existsSync(join(root, "node_modules", ".bin", process.platform === "win32" ? "node.cmd" : "node"));
}

function packagesIn(file) {
  const path = join(root, file);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).packages : {};
}

function install() {
  const npm = process.env.npm_execpath;
  const [command, args] = npm ? [process.execPath, [npm]] : ["npm", []];
  // What was installed without the development dependencies is kept, and they are added to it.
  const how = existsSync(join(root, "node_modules/.package-lock.json")) ? ["install", "--no-save"] : ["ci"];
  const { status, error } = spawnSync(command, [...args, ...how, ...(omitDev ? ["--omit=dev"] : []), "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (error || status !== 0)
    fail(`npm ${how[0]} failed${error ? `: ${error.message}` : ""}`, "check that npm reaches its registry, then run the command again");
}

function fail(message, hint) {
  console.error(`${message}\nhint: ${hint}`);
  process.exit(1);
}
