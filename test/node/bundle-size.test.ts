import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
// What a location loads when it first answers; more of it makes a cold start longer.
const LIMIT = 332 * 1024;

it("bundles the Worker, as it is deployed, to less than 332 KiB gzipped", () => {
  const out = mkdtempSync(join(tmpdir(), "keyhole-bundle-"));
  try {
    const wrangler = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
    const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" };
    const { status, stderr } = spawnSync(process.execPath, [wrangler, "deploy", "--dry-run", "--minify", "--outdir", out], {
      cwd: ROOT,
      env,
      encoding: "utf8",
    });
    expect(status, stderr).toBe(0);
    const size = gzipSync(readFileSync(join(out, "worker.js"))).length;
    process.stderr.write(`the bundle: ${(size / 1024).toFixed(1)} KiB gzipped, of ${LIMIT / 1024}\n`);
    expect(size).toBeLessThan(LIMIT);
  } finally {
    rmSync(out, { recursive: true });
  }
});
