import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** What can fail on the way, for tests of that. */
export interface Steps {
  /** Writes a new file that only its owner may read, and has it on the disk when it returns. */
  write(path: string, text: string): void;
  rename(from: string, to: string): void;
}

/** How it is really done. */
export const STEPS: Steps = { write: writePrivately, rename: renameSync };

/**
 * Replaces a file, or makes it, whole or not at all, whatever fails and whenever the machine stops: the new one is on the
 * disk before it takes the name. Only its owner may read it, and nothing of what was there before stays.
 *
 * @param between Done when the new one is on the disk, and has not yet taken the name.
 */
export function writeDurably(path: string, text: string, { write, rename }: Steps = STEPS, between: () => void = () => {}): void {
  const draft = draftOf(path);
  try {
    write(draft, text);
    between();
    rename(draft, path);
    syncFolder(dirname(path));
  } finally {
    rmSync(draft, { force: true });
  }
}

/** A name beside a file that no other process takes. Not the process's number: in containers that share a folder it is the same. */
export function draftOf(path: string): string {
  return `${path}.${randomBytes(6).toString("hex")}`;
}

function writePrivately(path: string, text: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A name is on the disk when its folder is. Windows has no way to say so. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const file = openSync(folder, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
