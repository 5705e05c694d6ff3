import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runProgram } from "./support/run-program.ts";

const KEYHOLE = join(import.meta.dirname, "../../../bin/keyhole.mjs");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyhole-cache-"));
  for (const name of ["home", "here", "shared"]) mkdirSync(join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Starts keyhole in `here`, with `shared` as the temporary folder. */
async function start(env: Record<string, string>): Promise<void> {
  const { code } = await runProgram(process.execPath, [KEYHOLE, "--version"], { cwd: join(folder, "here"), env: { TMPDIR: join(folder, "shared"), ...env } });
  expect(code).toBe(0);
}

describe("compiled code", () => {
  it("is kept in the user's own folder, and not where everybody could put some", async () => {
    await start({ HOME: join(folder, "home") });
    expect(readdirSync(join(folder, "home/.cache/keyhole"))).toHaveLength(1);
    expect(readdirSync(join(folder, "shared"))).toEqual([]);
  });

  it("is kept nowhere when others can write to the folder", async () => {
    const cache = join(folder, "shared/keyhole");
    mkdirSync(cache);
    chmodSync(cache, 0o777);
    await start({ HOME: join(folder, "home"), XDG_CACHE_HOME: join(folder, "shared") });
    expect(readdirSync(cache)).toEqual([]);
    expect(existsSync(join(folder, "home/.cache"))).toBe(false);
  });

  it("is kept nowhere when there is no home", async () => {
    await start({ HOME: "" });
    expect([readdirSync(join(folder, "here")), readdirSync(join(folder, "shared"))]).toEqual([[], []]);
  });
});
