import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

/**
 * Builds the console: one page, one script and one style sheet whose names change with what is in them, so that they may be kept.
 *
 * @param {string} root the project's folder.
 * @param {string} outdir where `console/` is made.
 */
export async function buildConsole(root, outdir) {
  const { build } = await import("esbuild");
  const folder = join(outdir, "console");
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { console: "src/console/main.tsx", style: "src/console/styles/console.css" },
    entryNames: "[name]-[hash]",
    outdir: folder,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    minify: true,
    legalComments: "none",
    logLevel: "warning",
    metafile: true,
    jsx: "automatic",
    jsxImportSource: "preact",
    define: { "process.env.NODE_ENV": '"production"' },
  });
  mkdirSync(folder, { recursive: true });
  const made = Object.keys(metafile.outputs).map((path) => basename(path));
  const nameOf = (ending) => made.find((name) => name.endsWith(ending)) ?? "";
  const page = readFileSync(join(root, "src/console/index.html"), "utf8").replace("{{js}}", nameOf(".js")).replace("{{css}}", nameOf(".css"));
  writeFileSync(join(folder, "index.html"), page);
  cpSync(join(root, "src/console/favicon.svg"), join(folder, "favicon.svg"));
}
