// Builds dist/: the command line as one file, the client, what Workers use, the action for GitHub, the console and the documentation. Runs when the package is installed (`prepare`), also on
// Node 20. With --types it builds the client's types too, which needs what the tests need; with --outdir DIR it builds there.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildConsole } from "./build-console.mjs";
import { buildDocumentation } from "./build-documentation.mjs";
import { thirdPartyLicenses } from "./third-party-licenses.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({ options: { outdir: { type: "string", default: join(root, "dist") }, types: { type: "boolean", default: false } } });
const outdir = resolve(values.outdir);

if (existsSync(join(root, "node_modules", "esbuild"))) await build();
else console.error("dist/ is not built yet: the development dependencies are not installed");

async function build() {
  const { build } = await import("esbuild");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const common = { bundle: true, outdir, logLevel: "warning", absWorkingDir: root, target: "es2022", minifyWhitespace: true, legalComments: "none" };
  rmSync(outdir, { recursive: true, force: true });
  const [{ metafile }] = await Promise.all([
    build({
      ...common,
      entryPoints: { keyhole: "src/cli/main.ts" },
      outExtension: { ".js": ".cjs" },
      platform: "node",
      format: "cjs",
      external: ["@napi-rs/keyring"],
      define: { KEYHOLE_VERSION: JSON.stringify(version) },
      plugins: [withoutStyleText()],
      metafile: true,
    }),
    build({
      ...common,
      entryPoints: { client: "src/client/create-client.ts", worker: "src/client/create-resolver.ts" },
      platform: "neutral",
      format: "esm",
      minifySyntax: true,
    }),
    build({
      ...common,
      entryPoints: { "action/main": "src/action/main.ts", "action/post": "src/action/post.ts" },
      outExtension: { ".js": ".mjs" },
      platform: "node",
      format: "esm",
      // Libraries that are written for `require` find it.
      banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    }),
    buildConsole(root, outdir),
    buildDocumentation(root, outdir),
  ]);
  writeFileSync(join(outdir, "THIRD-PARTY-LICENSES.txt"), thirdPartyLicenses(root, metafile));
  if (values.types) buildTypes();
}

/** The declarations that the package's entries lead to, with the names that imports have once they are built. */
function buildTypes() {
  const tsc = join(root, "test", "node_modules", "typescript", "bin", "tsc");
  const types = join(outdir, "types");
  const options = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--rootDir", "src", "--outDir", types];
  const { status } = spawnSync(process.execPath, [tsc, "-p", "src/client", ...options], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(1);
  const reached = new Set();
  const visit = (path) => {
    if (reached.has(path)) return;
    reached.add(path);
    const text = readFileSync(path, "utf8").replaceAll(/(from "\.[^"]+)\.ts"/g, '$1.js"');
    writeFileSync(path, text);
    for (const [, target] of text.matchAll(/ from "(\.[^"]+)\.js"/g)) visit(join(dirname(path), `${target}.d.ts`));
  };
  for (const entry of ["create-client", "create-resolver"]) visit(join(types, "client", `${entry}.d.ts`));
  for (const name of readdirSync(types, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".d.ts")))
    if (!reached.has(join(types, name))) rmSync(join(types, name));
}

/** The prompts color their text with `util.styleText`, which Node has from 20.12 on; before that they go without color. */
function withoutStyleText() {
  const contents =
    'import * as util from "util"; export const styleText = util.styleText ?? ((_, text) => text); export const { stripVTControlCharacters } = util;';
  return {
    name: "without-style-text",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^node:util$/ }, ({ importer }) => (importer.includes("@clack") ? { path: "node:util", namespace: "style-text" } : undefined));
      onLoad({ filter: /.*/, namespace: "style-text" }, () => ({ contents, resolveDir: root }));
    },
  };
}
