import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { ROOT } from "../../scripts/wrangler-config.ts";

// What a browser loads before it shows anything.
const LIMIT = 60 * 1024;

it("builds the console to little, and to nothing that a strict policy refuses", () => {
  const out = mkdtempSync(join(tmpdir(), "keyhole-console-"));
  try {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts/build.mjs"), "--outdir", out], { encoding: "utf8" });
    expect(status, stderr).toBe(0);
    const files = readdirSync(join(out, "console"));
    const size = files.reduce((sum, name) => sum + gzipSync(readFileSync(join(out, "console", name))).length, 0);
    process.stderr.write(`the console: ${(size / 1024).toFixed(1)} KiB gzipped, of ${LIMIT / 1024}\n`);
    expect(size).toBeLessThan(LIMIT);
    const page = readFileSync(join(out, "console/index.html"), "utf8");
    expect(page).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|https?:|\{\{/);
    for (const name of files.filter((name) => /\.(?:js|css)$/.test(name))) expect(page).toContain(`/console/${name}`);
  } finally {
    rmSync(out, { recursive: true });
  }
});
