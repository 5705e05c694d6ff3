// Runs a script of this folder that is written in TypeScript: `node scripts/run.mjs start.ts …`. Node 20 does not read
// TypeScript, so esbuild turns it into one file first, which takes some hundredths of a second.
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const folder = dirname(fileURLToPath(import.meta.url));
const [name = ""] = process.argv.splice(2, 1);
const outdir = join(folder, "../node_modules/.cache/keyhole");
mkdirSync(outdir, { recursive: true });
// Two at once may write the same file: each has its own.
const outfile = join(outdir, `${name.replace(/\.ts$/, "")}-${process.pid}.mjs`);
await build({
  entryPoints: [join(folder, name)],
  outfile,
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20",
  logLevel: "warning",
  define: { "import.meta.url": JSON.stringify(pathToFileURL(join(folder, name)).href), "import.meta.dirname": JSON.stringify(folder) },
});
process.argv[1] = join(folder, name);
try {
  await import(pathToFileURL(outfile).href);
} finally {
  rmSync(outfile, { force: true });
}
