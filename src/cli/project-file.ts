import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import { NAME, whole } from "../contract/grammar.ts";
import { scopeSchema } from "../contract/scope.ts";
import { secretNameSchema } from "../contract/secret-name.ts";
import { usageError } from "./cli-error.ts";
import { homeFolder } from "./config-folder.ts";
import { note } from "./output.ts";

/** What a project file is called. */
export const PROJECT_FILE = "keyhole.json";

/** How large one may be. */
const MAX_BYTES = 64 * 1024;

const namesSchema = z.array(secretNameSchema).max(100);

const projectSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    // Everybody who has the repository reads it.
    .refine(isBareAddress, { error: "an address without a user, a password, a query or a fragment" })
    .optional(),
  profile: z.string().regex(whole(NAME)).optional(),
  scopes: z.array(scopeSchema).min(1).max(5).optional(),
  required: namesSchema.optional(),
  optional: namesSchema.optional(),
});

function isBareAddress(text: string): boolean {
  const { username, password, search, hash } = new URL(text);
  return !(username || password || search || hash);
}

/** What a project file may say. */
export type ProjectSettings = z.output<typeof projectSchema>;

/** A project file that is believed, and where it is. */
export interface Project extends ProjectSettings {
  readonly path: string;
}

/**
 * The project file of a folder: the nearest one in it or above it, no further than the user's home, and not across into
 * another file system. One that is not the user's own, or that others may change, is not believed: a warning says so, and
 * there is none then, because what is further up is not meant either.
 *
 * @param doubted What is done about one that is not believed, instead of the warning.
 * @throws {CliError} for one that is the user's own and says something else than such a file does.
 */
export function findProject(folder: string | undefined = currentFolder(), doubted: (message: string) => void = warn): Project | undefined {
  if (folder === undefined) return undefined;
  try {
    const path = nearestFile(folder);
    return path === undefined ? undefined : readProject(path, doubted);
  } catch (error) {
    // As another user in somebody's folder: what cannot be looked at says nothing, and what needs none of it works there.
    if (!isForbidden(error)) throw error;
    note(`warning: ${error.path} may not be read: no ${PROJECT_FILE} is looked for`);
    return undefined;
  }
}

function nearestFile(folder: string): string | undefined {
  const given = homeFolder();
  // The current folder is a real path: what leads to the home folder may be a link.
  const home = given !== undefined && existsSync(given) ? realpathSync(given) : given;
  const device = statSync(folder).dev;
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, PROJECT_FILE);
    if (lstatSync(path, { throwIfNoEntry: false })) return path;
    if (at === home || at === dirname(at) || statSync(dirname(at)).dev !== device) return undefined;
  }
}

/** The working folder; `undefined` where it was deleted. */
function currentFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

function isForbidden(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && (error.code === "EACCES" || error.code === "EPERM");
}

function warn(message: string): void {
  note(`warning: ${message}`);
}

function readProject(path: string, doubted: (message: string) => void): Project | undefined {
  const read = readBelieved(path);
  if ("doubt" in read) {
    doubted(`${path} is not believed: ${read.doubt}`);
    return undefined;
  }
  return { ...checkProject(parseJson(path, read.text), path), path };
}

/** The text of a file that is the user's alone to change, or why it is not. */
function readBelieved(path: string): { readonly text: string } | { readonly doubt: string } {
  const seen = doubtAbout(lstatSync(path), statSync(dirname(path)));
  if (seen !== undefined) return { doubt: seen };
  // What is opened is asked again, and is what is read: by now it may be another file, or a link or a pipe.
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const doubt = doubtAbout(fstatSync(file), statSync(dirname(path)));
    return doubt === undefined ? { text: readFileSync(file, "utf8") } : { doubt };
  } finally {
    closeSync(file);
  }
}

/**
 * What a project file says, or is to say.
 *
 * @throws {CliError} with each place that is something else.
 */
export function checkProject(json: unknown, path: string): ProjectSettings {
  const parsed = projectSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the file"}: ${message}`);
  throw usageError(`${path} is not a project file`, "it has url, profile, scopes, required and optional, and nothing else; `keyhole init` writes one", places);
}

/** Why a file is not the user's alone to change; `undefined` where it is. Where the system has no owners, it is not asked. */
export function doubtAbout(file: Stats, folder: Stats, self: number | undefined = process.getuid?.()): string | undefined {
  if (!file.isFile()) return "it is no file, but a link or something else";
  if (file.size > MAX_BYTES) return "it is too large to be one";
  if (self === undefined) return undefined;
  if (file.uid !== self) return `it belongs to user ${file.uid}`;
  // The group of the user's own number is the user alone: where each has one, files are made open to it (umask 002).
  const others = self !== 0 && file.gid === self ? 0o002 : 0o022;
  if ((file.mode & others) !== 0) return `others may write it: chmod go-w ${PROJECT_FILE}`;
  if (folder.uid !== self && folder.uid !== 0) return `its folder belongs to user ${folder.uid}`;
  // Whoever may write there puts another of the user's files in its place.
  return (folder.mode & 0o002) !== 0 && (folder.mode & 0o1000) === 0 ? "everybody may write its folder" : undefined;
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usageError(`${path} cannot be read as JSON`, "fix it; `keyhole init` writes one");
  }
}
