// Packs the package into an empty folder and prints where it is: node scripts/pack-package.mjs DIR
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { shellLine } from "./shell-line.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Builds the package beside the project, packs it as `npm pack` does, and leaves `dist/` alone.
 *
 * @param {string} folder an empty one.
 * @returns {string} the path of the tarball.
 */
export function packPackage(folder) {
  const staged = join(folder, "staged");
  mkdirSync(staged);
  for (const name of ["package.json", "bin", "LICENSE", "README.md"]) cpSync(join(root, name), join(staged, name), { recursive: true });
  run(process.execPath, [join(root, "scripts", "build.mjs"), "--types", "--outdir", join(staged, "dist")], root);
  const packed = run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], staged);
  // Some versions of npm name the packages, some list them.
  const [{ filename }] = Object.values(JSON.parse(packed));
  return join(folder, filename);
}

function run(command, args, cwd) {
  const options = { cwd, encoding: "utf8" };
  const { status, stdout, stderr, error } =
    process.platform === "win32" ? spawnSync(shellLine([command, ...args]), { ...options, shell: true }) : spawnSync(command, args, options);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed: ${error?.message ?? stderr}`);
  return stdout;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(packPackage(process.argv[2]));
