import { createReadStream, lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Source } from "./find-secrets.ts";
import { gitLines } from "./git.ts";

/** How much of a file is read at once. */
const CHUNK = 1024 * 1024;

/** A file as it is now. */
export function fileSource(path: string): Source {
  return { label: path, open: () => createReadStream(path, { highWaterMark: CHUNK }) };
}

/** The files that paths name: a file is itself, a folder what git has of it, or with `all` everything that is in it. No link is followed. */
export function filesOf(paths: readonly string[], all: boolean): string[] {
  const found = paths.flatMap((path) => {
    if (!statSync(path).isDirectory()) return [path];
    if (all) return everythingIn(path);
    const known = gitLines(["-C", path, "ls-files", "-z", "--cached"], { apart: true }).map((name) => join(path, name));
    // What git has and the folder has not any more, a repository within this one, a link.
    return known.filter((file) => lstatSync(file, { throwIfNoEntry: false })?.isFile());
  });
  return [...new Set(found)];
}

function everythingIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === ".git" ? [] : everythingIn(path);
    return entry.isFile() ? [path] : [];
  });
}
