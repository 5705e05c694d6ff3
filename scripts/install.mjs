// Installs what the lock files name, unless that is installed already. Runs before everything else, so it needs
// nothing but Node 20 and npm. What npm says goes to standard error: some commands print data on standard output.
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) install(".");

/**
 * Installs one package of this project, unless somebody has done so.
 *
 * @param {string} folder of the package, from the project's folder.
 */
export function install(folder) {
  const path = join(root, folder);
  if (isInstalled(path)) return;
  console.error(`Installing the dependencies${folder === "." ? "" : ` of ${folder}`} (once, and again when they change) …`);
  // npm ci empties the folder first: behind a link that would be somebody else's.
  if (lstatSync(join(path, "node_modules"), { throwIfNoEntry: false })?.isSymbolicLink()) {
    fail(
      "node_modules is a link to another folder, which does not hold what the lock file names",
      "remove the link, or install in the folder that it leads to",
    );
  }
  const npm = process.env.npm_execpath;
  const [command, args] = npm ? [process.execPath, [npm]] : ["npm", []];
  // What is there already is kept, and what differs is put in its place.
  const how = existsSync(join(path, "node_modules", ".package-lock.json")) ? ["install", "--no-save"] : ["ci"];
  const options = ["--no-audit", "--no-fund", "--loglevel=error"];
  const { status, error } = spawnSync(command, [...args, ...how, ...options], { cwd: path, stdio: ["ignore", 2, 2] });
  if (error || status !== 0)
    fail(`npm ${how[0]} failed${error ? `: ${error.message}` : ""}`, "check that npm reaches its registry, then run the command again");
}

/** Whether everything is there that the lock file names for this platform, as npm's own record of the folder has it. */
function isInstalled(path) {
  const record = join(path, "node_modules", ".package-lock.json");
  if (!existsSync(record)) return false;
  const [wanted, present] = [join(path, "package-lock.json"), record].map((file) => JSON.parse(readFileSync(file, "utf8")).packages);
  return Object.entries(wanted).every(([name, { version, integrity, optional }]) => {
    if (name === "") return true;
    const found = present[name];
    return found ? found.version === version && found.integrity === integrity : optional === true;
  });
}

function fail(message, hint) {
  console.error(`${message}\nhint: ${hint}`);
  process.exit(1);
}
