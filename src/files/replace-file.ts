import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** What can fail on the way, for tests of that. */
export interface Steps {
  /** Writes a new file that only its owner may read, and has it on the disk when it returns. */
  write(path: string, text: string): void;
  rename(from: string, to: string): void;
}

/**
 * Replaces a file, or makes it, whole or not at all, whatever fails and whenever the machine stops: the new one is on the
 * disk before it takes the name. What was there before stays beside it, as
 * `<path>.previous`. Only their owner may read either.
 */
export function replaceFile(path: string, text: string, { write, rename }: Steps = { write: writePrivately, rename: renameSync }): void {
  // Not the process's number: in containers that share a folder it is the same.
  const [draft, copy] = [0, 1].map(() => `${path}.${randomBytes(6).toString("hex")}`) as [string, string];
  try {
    write(draft, text);
    if (existsSync(path)) {
      write(copy, readFileSync(path, "utf8"));
      rename(copy, `${path}.previous`);
    }
    rename(draft, path);
    syncFolder(dirname(path));
  } finally {
    for (const left of [draft, copy]) rmSync(left, { force: true });
  }
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
