import { builtinModules } from "node:module";
import { build, type Plugin } from "esbuild";
import { ROOT } from "../wrangler-config.ts";

/**
 * A Worker as one module, as far as it matters the way `wrangler deploy` bundles it: modules of Node come from the
 * runtime, and packages are taken in the form that they have for Workers.
 *
 * @param entry the path of its main module, from the project's folder.
 */
export async function bundleWorker(entry: string): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    define: { "process.env.NODE_ENV": '"production"' },
    sourcemap: "inline",
    sourcesContent: false,
    logLevel: "warning",
    plugins: [modulesOfNode()],
  });
  return outputFiles[0]?.text ?? "";
}

/** CommonJS packages `require` Node's modules, by either of their names; the runtime only lets them be imported. */
function modulesOfNode(): Plugin {
  return {
    name: "modules-of-node",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: new RegExp(`^(?:node:)?(?:${builtinModules.join("|")})$`) }, ({ path, kind }) => {
        const name = path.replace(/^(?:node:)?/, "node:");
        return kind === "require-call" ? { path: name, namespace: "modules-of-node" } : { path: name, external: true };
      });
      onLoad({ filter: /.*/, namespace: "modules-of-node" }, ({ path }) => ({ contents: `import all from "${path}"; module.exports = all;`, loader: "js" }));
    },
  };
}
