import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, realpathSync, renameSync, rmSync, type Stats, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { usageError } from "./cli-error.ts";

/** The mode in `--mode 0640`. */
export function parseMode(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^0?[0-7]{3}$/.test(text)) return Number.parseInt(text, 8);
  throw usageError("--mode is three octal digits", "for example --mode 640");
}

/**
 * Writes a file with values: a new one for its owner alone, in place of one that is there with that one's owner and mode,
 * unless `mode` says another. It is replaced whole or not at all, but where a file cannot be replaced without changing whose
 * it is, or at all: one that is mounted by itself, or in a folder that may not be written, is written over. A link stays
 * one; what is no file, such as a pipe, is written to. Returns whose the file is and its mode, where it is one.
 */
export function writeOutput(path: string, text: string, mode: number | undefined, settle: typeof renameSync = renameSync): Stats | undefined {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there && !there.isFile()) {
    writeFileSync(path, text);
    return undefined;
  }
  if (!there) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const target = there ? realpathSync(path) : path;
  const wanted = mode ?? (there ? there.mode & 0o777 : 0o600);
  try {
    replace(target, text, wanted, there, settle);
  } catch (error) {
    if (!there || !CANNOT_REPLACE.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    if (mode !== undefined) chmodSync(target, mode);
    writeFileSync(target, text);
  }
  return statSync(target);
}

/** To whom else than this user a file is open, for people; `undefined` where to nobody, or where the system has no such modes. */
export function openTo({ uid, mode }: Pick<Stats, "uid" | "mode">, self = process.getuid?.()): string | undefined {
  if (self === undefined) return undefined;
  const others = [uid === self ? "" : `user ${uid}, whose it is`, (mode & 0o007) !== 0 ? "everybody on this machine" : (mode & 0o070) !== 0 ? "its group" : ""];
  return others.filter(Boolean).join(" and ") || undefined;
}

/** Mounted by itself; not ours to give away; in a folder that is not ours to write. */
const CANNOT_REPLACE: ReadonlySet<string> = new Set(["EBUSY", "EXDEV", "EPERM", "EACCES", "EROFS"]);

function replace(path: string, text: string, mode: number, there: Stats | undefined, settle: typeof renameSync): void {
  // Not the process's number: in containers that share a folder it is the same.
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: "wx" });
    const own = statSync(draft);
    if (there && (own.uid !== there.uid || own.gid !== there.gid)) chownSync(draft, there.uid, there.gid);
    chmodSync(draft, mode);
    settle(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}
