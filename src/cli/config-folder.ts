import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { CliError } from "./cli-error.ts";

/** The home folder, or `undefined` where there is none. A relative one would be another in each folder that a command is started in. */
export function homeFolder(): string | undefined {
  try {
    return isAbsolute(homedir()) ? homedir() : undefined;
  } catch {
    return undefined;
  }
}

/** Where profiles are kept: `$XDG_CONFIG_HOME/keyhole`, or `~/.config/keyhole`. */
export function configFolder(): string | undefined {
  const { XDG_CONFIG_HOME: config = "" } = process.env;
  if (isAbsolute(config)) return join(config, "keyhole");
  const home = homeFolder();
  return home && join(home, ".config", "keyhole");
}

/** A file's JSON, or `undefined` where there is no such file. */
export function readJsonFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new CliError(`${path} cannot be read as JSON`, "fix it, or remove it and log in again");
  }
}

type Settle = (draft: string, path: string) => void;

/**
 * Writes a file that only its owner may read, whole or not at all; `settle` gives the written draft its name. A link
 * stays one; what is no file, such as a pipe, is written to.
 */
export function writePrivateFile(path: string, text: string, folder: string, settle: Settle = renameSync): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const there = statSync(path, { throwIfNoEntry: false });
  if (there && !there.isFile()) writeFileSync(path, text);
  else replaceFile(there ? realpathSync(path) : path, text, settle);
}

function replaceFile(path: string, text: string, settle: Settle): void {
  // Not the process's number: in containers that share a home it is the same.
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: "wx" });
    chmodSync(draft, 0o600);
    settle(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}
