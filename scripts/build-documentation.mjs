import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

/**
 * Builds the documentation: the guides of `docs/` and the API, as pages that the Worker only hands out.
 *
 * @param {string} root the project's folder.
 * @param {string} outdir where `console/` is, whose folder has all that is handed out.
 */
export async function buildDocumentation(root, outdir) {
  const { build } = await import("esbuild");
  const folder = join(outdir, "console");
  const common = { absWorkingDir: root, bundle: true, logLevel: "warning", legalComments: "none" };
  const { metafile } = await build({
    ...common,
    entryPoints: { docs: "src/console/docs.ts", "docs-style": "src/docs/docs.css" },
    entryNames: "[name]-[hash]",
    outdir: folder,
    format: "esm",
    platform: "browser",
    target: "es2022",
    minify: true,
    metafile: true,
  });
  const addressOf = (ending) =>
    `/console/${Object.keys(metafile.outputs)
      .map((path) => basename(path))
      .find((name) => name.endsWith(ending))}`;
  // The description is the Worker's own, so its routes are asked for it here.
  const renderer = join(outdir, "render-docs.cjs");
  await build({
    ...common,
    entryPoints: ["src/docs/render-docs.ts"],
    outfile: renderer,
    format: "cjs",
    platform: "node",
    target: "node20",
    conditions: ["workerd", "worker"],
    external: ["cloudflare:*"],
    // The Worker logs what it answers.
    drop: ["console"],
  });
  try {
    const { renderDocs } = createRequire(import.meta.url)(renderer);
    const names = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
    const guides = Object.fromEntries(names.sort().map((name) => [basename(name, ".md"), readFileSync(join(root, "docs", name), "utf8")]));
    const pages = await renderDocs({ guides, style: addressOf(".css"), script: addressOf(".js") });
    for (const [name, page] of Object.entries(pages)) writeFileSync(join(folder, name), page);
  } finally {
    rmSync(renderer);
  }
}
