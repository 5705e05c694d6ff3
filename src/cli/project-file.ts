import { existsSync, lstatSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
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
  url: z.url({ protocol: /^https?$/ }).optional(),
  profile: z.string().regex(whole(NAME)).optional(),
  scopes: z.array(scopeSchema).min(1).max(5).optional(),
  required: namesSchema.optional(),
  optional: namesSchema.optional(),
});

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
 * @throws {CliError} for one that is the user's own and says something else than such a file does.
 */
export function findProject(folder: string | undefined = currentFolder()): Project | undefined {
  if (folder === undefined) return undefined;
  const given = homeFolder();
  // The current folder is a real path: what leads to the home folder may be a link.
  const home = given !== undefined && existsSync(given) ? realpathSync(given) : given;
  const device = statSync(folder).dev;
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, PROJECT_FILE);
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there) return readProject(path, there, statSync(at));
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

function readProject(path: string, file: Stats, folder: Stats): Project | undefined {
  const doubt = doubtAbout(file, folder);
  if (doubt !== undefined) {
    note(`warning: ${path} is not believed: ${doubt}`);
    return undefined;
  }
  const parsed = projectSchema.safeParse(parseJson(path));
  if (parsed.success) return { ...parsed.data, path };
  const places = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the file"}: ${message}`);
  throw usageError(`${path} is not a project file`, "it has url, profile, scopes, required and optional, and nothing else; `keyhole init` writes one", places);
}

/** Why a file is not the user's alone to change; `undefined` where it is. Where the system has no owners, it is not asked. */
export function doubtAbout(file: Stats, folder: Stats, self: number | undefined = process.getuid?.()): string | undefined {
  if (!file.isFile()) return "it is no file, but a link or something else";
  if (file.size > MAX_BYTES) return "it is too large to be one";
  if (self === undefined) return undefined;
  if (file.uid !== self) return `it belongs to user ${file.uid}`;
  if ((file.mode & 0o022) !== 0) return `others may write it: chmod go-w ${PROJECT_FILE}`;
  if (folder.uid !== self && folder.uid !== 0) return `its folder belongs to user ${folder.uid}`;
  // Whoever may write there puts another of the user's files in its place.
  return (folder.mode & 0o002) !== 0 && (folder.mode & 0o1000) === 0 ? "everybody may write its folder" : undefined;
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    throw usageError(`${path} cannot be read as JSON`, "fix it; `keyhole init` writes one");
  }
}
