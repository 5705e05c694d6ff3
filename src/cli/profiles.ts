import { join } from "node:path";
import { z } from "zod";
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

/** The saved profiles, and the name of the one that is used unless another is named. */
export function readProfiles(): Config {
  return read(CONFIG, configSchema, { profiles: {} });
}

/** Saves a profile, its token in the system's keychain where there is one, else in a file that only its owner may read. */
export async function saveProfile(name: string, url: string, token: string, useKeychain: boolean): Promise<Profile> {
  const kept = useKeychain && (await writeKeychain(SERVICE, accountOf(name, url), token));
  const tokens = readTokens();
  delete tokens[name];
  if (!kept) tokens[name] = token;
  writeJson(TOKENS, tokens);
  const config = readProfiles();
  const profile: Profile = { url, token: kept ? "keychain" : "file" };
  writeJson(CONFIG, { default: config.default ?? name, profiles: { ...config.profiles, [name]: profile } });
  return profile;
}

/** The token of a profile. */
export async function readProfileToken(name: string, { url, token }: Profile): Promise<string> {
  const found = token === "file" ? readTokens()[name] : await readKeychain(SERVICE, accountOf(name, url));
  if (!found) throw new CliError(`the token of profile ${name} is gone`, `keyhole login --profile ${name} ${url}`);
  return found;
}

/** Forgets a profile and its token. */
export async function deleteProfile(name: string): Promise<boolean> {
  const config = readProfiles();
  const { [name]: profile, ...profiles } = config.profiles;
  if (!profile) return false;
  if (profile.token === "keychain") await deleteFromKeychain(SERVICE, accountOf(name, profile.url));
  const { [name]: _, ...tokens } = readTokens();
  writeJson(TOKENS, tokens);
  const next = config.default === name ? Object.keys(profiles)[0] : config.default;
  writeJson(CONFIG, { ...(next !== undefined && { default: next }), profiles });
  return true;
}

function accountOf(name: string, url: string): string {
  return `${name} ${url}`;
}

function readTokens(): Record<string, string> {
  return { ...read(TOKENS, tokensSchema, {}) };
}

function read<T>(file: string, schema: z.ZodType<T>, otherwise: T): T {
  const folder = configFolder();
  if (folder === undefined) return otherwise;
  const path = join(folder, file);
  const json = readJsonFile(path);
  if (json === undefined) return otherwise;
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new CliError(`${path} is not what keyhole writes`, "mend it, or remove it and log in again");
  return parsed.data;
}

function writeJson(file: string, json: unknown): void {
  const folder = configFolder();
  if (folder === undefined) throw new CliError("there is no home folder to keep a profile in", "set HOME or XDG_CONFIG_HOME to an absolute path");
  writePrivateFile(join(folder, file), `${JSON.stringify(json, null, 2)}\n`, folder);
}
