import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, renameSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { secretNameSchema } from "../contract/secret-name.ts";
import { CliError, usageError } from "./cli-error.ts";
import { note } from "./output.ts";

/** What Windows takes for a device, or does not keep as it is, in any folder and with any ending. */
const NO_FILE_OF_WINDOWS = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)|\.$/i;
/** What is in the folder when it cannot be put in its place. */
const TAKEN = new Set(["ENOTEMPTY", "EEXIST", "ENOTDIR", "EPERM", "EACCES", "EBUSY"]);

/** Refuses what is no name of a file here. */
export function requireFileNames(names: readonly string[], platform = process.platform): void {
  const wrong = names.find((name) => !secretNameSchema.safeParse(name).success || (platform === "win32" && NO_FILE_OF_WINDOWS.test(name)));
  if (wrong !== undefined) throw new CliError(`${wrong} is no name of a file`, "name the ones that you want with --only");
}

/**
 * Writes each value to a file of its own, which only this user may read, in a new folder of the same kind. It is there with all of
 * them or not at all: made beside its place under a name that nobody knows, and moved there. What is there already, a link too, stays.
 *
 * @returns what takes it away again, and nothing else that is in it by then.
 */
export function mountFiles(folder: string, files: Readonly<Record<string, Uint8Array>>): () => void {
  requireFileNames(Object.keys(files));
  const place = resolve(folder);
  if (lstatSync(place, { throwIfNoEntry: false }) !== undefined) throw isThere(folder);
  mkdirSync(dirname(place), { recursive: true, mode: 0o700 });
  const draft = join(dirname(place), `.${basename(place)}.${randomBytes(6).toString("hex")}`);
  mkdirSync(draft, { mode: 0o700 });
  const { dev, ino } = lstatSync(draft);
  const written: string[] = [];
  try {
    for (const [name, value] of Object.entries(files)) {
      writeFileSync(join(draft, name), value, { mode: 0o600, flag: "wx" });
      written.push(name);
    }
    renameSync(draft, place);
  } catch (error) {
    takeAway(draft, written);
    throw TAKEN.has((error as NodeJS.ErrnoException).code ?? "") && written.length === Object.keys(files).length ? isThere(folder) : error;
  }
  return () => {
    // Where another stands there by now, what is in it is not ours.
    const there = lstatSync(place, { throwIfNoEntry: false });
    if (there?.dev === dev && there.ino === ino) takeAway(place, written);
  };
}

function isThere(folder: string): CliError {
  return usageError(`${folder} is there already`, "name a folder that is not: it is made, and taken away again at the end");
}

function takeAway(folder: string, names: readonly string[]): void {
  for (const name of names) unless("ENOENT", () => unlinkSync(join(folder, name)));
  unless(
    "ENOENT",
    () => rmdirSync(folder),
    (error) => note(`warning: ${folder} stays, because there is something else in it (${error.code})`),
  );
}

/** Does something of which one failure is none; another is told where it can be, and else thrown. */
function unless(code: string, act: () => void, tell?: (error: NodeJS.ErrnoException) => void): void {
  try {
    act();
  } catch (error) {
    const failure = error as NodeJS.ErrnoException;
    if (failure.code === code) return;
    if (tell === undefined) throw error;
    tell(failure);
  }
}
