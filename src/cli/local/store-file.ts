import { randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import * as z from "zod";
import { secretNameSchema } from "../../contract/secret-name.ts";
import { withLock } from "../../files/with-lock.ts";
import { writeDurably } from "../../files/write-durably.ts";
import { CliError } from "../cli-error.ts";
import { openTo } from "../write-output.ts";
import { isLocalScope, type LocalScope } from "./local-scope.ts";

const scopeSchema = z.custom<LocalScope>((text) => typeof text === "string" && isLocalScope(text));
const timeSchema = z.iso.datetime();

/** What is kept of a secret: either its value, sealed, or under which id the keychain has it. */
const secretSchema = z.strictObject({
  scope: scopeSchema,
  name: secretNameSchema,
  created_at: timeSchema,
  updated_at: timeSchema,
  kept: z.union([z.strictObject({ keychain: z.string().regex(/^[\w-]{16}$/) }), z.strictObject({ sealed: z.string().startsWith("v1:") })]),
});

const storeSchema = z
  .strictObject({
    format: z.literal(1),
    /** Of the key that seals the values in this file. */
    salt: z.string().regex(/^[\w-]{22}$/),
    /** Under which other scope a scope is. */
    parents: z.record(z.string(), scopeSchema).refine((parents) => Object.keys(parents).every(isLocalScope)),
    secrets: z.array(secretSchema),
  })
  .refine(({ secrets }) => new Set(secrets.map(({ scope, name }) => `${name} ${scope}`)).size === secrets.length);

/** The secrets of this machine, as its file has them. */
export type Store = z.infer<typeof storeSchema>;
export type LocalSecret = Store["secrets"][number];

/**
 * What the file holds; `undefined` where there is none.
 *
 * @throws {CliError} when it is damaged, or not the user's alone. It is then left as it is.
 */
export function readStore(path: string): Store | undefined {
  const text = readPrivately(path);
  return text === undefined ? undefined : parse(path, text);
}

/**
 * Changes what the file holds, and makes it where there is none. Of several that change it at once none is lost.
 *
 * @param change Is given what is there now, and what it throws leaves the file as it is.
 */
export async function changeStore(path: string, change: (store: Store) => Store): Promise<Store> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  requireOwnFolder(dirname(path));
  let next: Store | undefined;
  await withLock(`${path}.lock`, () => {
    next = change(readStore(path) ?? { format: 1, salt: randomBytes(16).toString("base64url"), parents: {}, secrets: [] });
    removeDrafts(path);
    writeDurably(path, `${JSON.stringify(next, null, 2)}\n`);
  });
  return next as Store;
}

/** What was killed while it wrote has left a draft behind, with values that may be deleted by now. Under the lock nobody writes one. */
function removeDrafts(path: string): void {
  const drafts = readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.`) && /\.[0-9a-f]{12}$/.test(name));
  for (const name of drafts) rmSync(join(dirname(path), name), { force: true });
}

function parse(path: string, text: string): Store {
  const json = parseJson(text);
  if (typeof json === "object" && json !== null && "format" in json && json.format !== 1)
    throw new CliError(`${path} is of another version of keyhole`, "use that one, or a newer one");
  const parsed = storeSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new CliError(
    `${path} is damaged: it is not what keyhole writes, and stays as it is`,
    "put a good copy of it back, or move it away and set the secrets again",
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The file's text: what is looked at is what is read. */
function readPrivately(path: string): string | undefined {
  const file = open(path);
  if (file === undefined) return undefined;
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new CliError(`${path} is not a file`, "move it away");
    const others = openTo(stats);
    if (others !== undefined)
      throw new CliError(
        `${path} is open to ${others} (mode ${(stats.mode & 0o777).toString(8)}): nothing is read from it or written to it`,
        "look who could read or change it; then make it yours alone, with chown and chmod 600",
      );
    requireOwnFolder(dirname(path));
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

function open(path: string): number | undefined {
  try {
    // Windows has neither flag. A pipe in its place would keep us waiting.
    return openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === "ELOOP") throw new CliError(`${path} is a link`, "put the file itself there; its folder may be a link");
    throw error;
  }
}

/** Who may write the folder could put another file in its place. */
function requireOwnFolder(folder: string): void {
  const { uid, mode } = statSync(folder);
  if (openTo({ uid, mode: mode & 0o022 ? mode : 0o700 }) === undefined) return;
  throw new CliError(`others than you may write ${folder} (mode ${(mode & 0o777).toString(8)})`, `make it yours alone, with chown and chmod 700 ${folder}`);
}
