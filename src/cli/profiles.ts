import { join } from "node:path";
import * as z from "zod";
import { withLock } from "../files/with-lock.ts";
import { CliError } from "./cli-error.ts";
import { configFolder, readJsonFile, writePrivateFile } from "./config-folder.ts";
import { deleteFromKeychain, readKeychain, writeKeychain } from "./keychain.ts";

const profileSchema = z.object({ url: z.string(), token: z.enum(["keychain", "file"]) });
const configSchema = z.object({ default: z.string().optional(), profiles: z.record(z.string(), profileSchema) });
const tokensSchema = z.record(z.string(), z.string());

/** A deployment that somebody logged in to. */
export type Profile = z.infer<typeof profileSchema>;
type Config = z.infer<typeof configSchema>;

const SERVICE = "keyhole";
const CONFIG = "config.json";
const TOKENS = "tokens.json";
const LOCK = "lock";

/** The saved profiles, and the name of the one that is used unless another is named. */
export function readProfiles(): Config {
  return read(CONFIG, configSchema, { profiles: {} });
}

/** The profile that was asked for, by the option or by the environment. */
export function wantedProfile(option: string | undefined): string | undefined {
  return option ?? (process.env.KEYHOLE_PROFILE || undefined);
}

/** Saves a profile, its token in the system's keychain where there is one, else in a file that only its owner may read. */
export async function saveProfile(name: string, url: string, token: string, useKeychain: boolean): Promise<Profile> {
  const kept = useKeychain && (await writeKeychain(SERVICE, accountOf(name, url), token));
  const profile: Profile = { url, token: kept ? "keychain" : "file" };
  await withLock(join(folderToWrite(), LOCK), () => {
    const tokens = tokensWithout(name);
    writeJson(TOKENS, kept ? tokens : { ...tokens, [accountOf(name, url)]: token });
    const config = readProfiles();
    writeJson(CONFIG, { default: config.default ?? name, profiles: { ...config.profiles, [name]: profile } });
  });
  return profile;
}

/** The token of a profile: the one that was saved for its address, whatever the profile says by now. */
export async function readProfileToken(name: string, { url, token }: Profile): Promise<string> {
  const found = token === "file" ? own(readTokens(), accountOf(name, url)) : await readKeychain(SERVICE, accountOf(name, url));
  if (!found) throw new CliError(`the token of profile ${name} is gone`, `keyhole login --profile ${name} ${url}`);
  return found;
}

/** Forgets a profile and its token. */
export async function deleteProfile(name: string): Promise<boolean> {
  const profile = own(readProfiles().profiles, name);
  if (!profile) return false;
  if (profile.token === "keychain") await deleteFromKeychain(SERVICE, accountOf(name, profile.url));
  await withLock(join(folderToWrite(), LOCK), () => {
    writeJson(TOKENS, tokensWithout(name));
    const { default: usual, profiles } = readProfiles();
    const { [name]: _, ...rest } = profiles;
    const next = usual === name ? Object.keys(rest)[0] : usual;
    writeJson(CONFIG, { ...(next !== undefined && { default: next }), profiles: rest });
  });
  return true;
}

/** What a record holds under a name that people choose, which could be `toString`. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** The tokens in the file but for those of a profile. One of before stands there without the address that it was saved for. */
function tokensWithout(name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(readTokens()).filter(([account]) => account.split(" ")[0] !== name));
}

/** What a token is kept under: it is for one address, and no other. */
function accountOf(name: string, url: string): string {
  return `${name} ${url}`;
}

function readTokens(): Record<string, string> {
  return read(TOKENS, tokensSchema, {});
}

function read<T>(file: string, schema: z.ZodType<T>, otherwise: T): T {
  const folder = configFolder();
  if (folder === undefined) return otherwise;
  const path = join(folder, file);
  const json = readJsonFile(path);
  if (json === undefined) return otherwise;
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new CliError(`${path} is not what keyhole writes`, "fix it, or remove it and log in again");
  return parsed.data;
}

function writeJson(file: string, json: unknown): void {
  const folder = folderToWrite();
  writePrivateFile(join(folder, file), `${JSON.stringify(json, null, 2)}\n`, folder);
}

function folderToWrite(): string {
  const folder = configFolder();
  if (folder === undefined) throw new CliError("there is no home folder to keep a profile in", "set HOME or XDG_CONFIG_HOME to an absolute path");
  return folder;
}
