import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { install } from "./install.mjs";
import { bundleWorker } from "./local/bundle-worker.ts";
import { fail } from "./settings.ts";
import { ROOT } from "./wrangler-config.ts";

// Builds dist/docs: the reference of the API, of its description, and the client's, of its types.
const outdir = join(ROOT, "dist", "docs");
rmSync(outdir, { recursive: true, force: true });
mkdirSync(outdir, { recursive: true });
await buildApi();
buildClient();
console.log(`${join(outdir, "api.html")}\n${join(outdir, "vault.html")}\n${join(outdir, "client", "index.html")}`);

/** The pages that a deployment has at `/docs`, with their descriptions beside them. */
async function buildApi() {
  const folder = mkdtempSync(join(tmpdir(), "keyhole-docs-"));
  try {
    const module = join(folder, "app.mjs");
    writeFileSync(module, await bundleWorker("src/worker/http/app.ts"));
    const { createApp } = await import(pathToFileURL(module).href);
    const app = createApp();
    const read = async (path) => {
      const reply = await app.fetch(new Request(`https://keyhole.example${path}`), {}, {});
      if (!reply.ok) fail(`${path} is answered ${reply.status}`, "this is a mistake in keyhole itself");
      return reply.text();
    };
    for (const name of ["openapi.json", "openapi-vault.json"]) writeFileSync(join(outdir, name), await read(`/${name}`));
    for (const [path, file] of [
      ["/docs", "api.html"],
      ["/docs/vault", "vault.html"],
    ])
      writeFileSync(join(outdir, file), asFile(await read(path)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What leads from the root of a deployment leads to the files beside this one. */
function asFile(page) {
  const files = {
    "/docs": "api.html",
    "/docs/vault": "vault.html",
    "/openapi.json": "openapi.json",
    "/openapi-vault.json": "openapi-vault.json",
  };
  return page.replaceAll(/href="(\/[^"#]*)/g, (link, path) => (files[path] ? `href="${files[path]}` : link));
}

function buildClient() {
  install("scripts/reference");
  const folder = join(ROOT, "scripts", "reference");
  const typedoc = join(folder, "node_modules", "typedoc", "bin", "typedoc");
  const options = ["--options", join(folder, "typedoc.json"), "--out", join(outdir, "client"), "--logLevel", "Warn"];
  const { status } = spawnSync(process.execPath, [typedoc, ...options], { cwd: folder, stdio: "inherit" });
  if (status !== 0) fail("the client's reference was not built", "what typedoc says is above");
}
