import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds after which a lock was left behind: what it guards takes a few. */
const STALE = 5000;

/** Does something while no other process does it under the same lock, a file that is there only meanwhile. */
export async function withLock(path: string, act: () => void): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  while (!take(path)) await sleep(10);
  try {
    act();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path: string): boolean {
  try {
    writeFileSync(path, "", { mode: 0o600, flag: "wx" });
    return true;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? {};
    if (mtimeMs !== undefined && Math.abs(Date.now() - mtimeMs) > STALE) rmSync(path, { force: true });
    return false;
  }
}
