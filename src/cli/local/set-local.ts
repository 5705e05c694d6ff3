import { reservationOf } from "../../contract/reserved-name.ts";
import { MAX_VALUE_BYTES } from "../../contract/secret.ts";
import { envName, type SecretName } from "../../contract/secret-name.ts";
import { isWellFormed } from "../../contract/well-formed.ts";
import { CliError } from "../cli-error.ts";
import { EXIT } from "../exit-code.ts";
import { note } from "../output.ts";
import { deriveKey } from "../seal-entry.ts";
import { forgetKept, keepInFile, keepInKeychain, placeOf, type Subject } from "./keep-value.ts";
import type { LocalPlace } from "./local-place.ts";
import { type LocalScope, showScope } from "./local-scope.ts";
import { changeStore, type LocalSecret, readStore } from "./store-file.ts";

/** What is to be kept under which name. */
export interface LocalSetting {
  readonly scope: LocalScope;
  readonly name: SecretName;
  readonly value: string;
  /** Only if the scope has no secret of this name. */
  readonly create: boolean;
  readonly now: Date;
}

/** How many secrets one machine keeps: all of them are in one file that is read and written whole. */
const MAX_SECRETS = 1000;

/**
 * Keeps a value, in place of the one that is there. Until it is written down the earlier one counts.
 *
 * @throws {CliError} when it cannot be kept. Nothing has changed then.
 */
export async function setLocal(place: LocalPlace, { value, now, ...setting }: LocalSetting): Promise<LocalSecret> {
  requireValue(value);
  const store = readStore(place.path) ?? (await changeStore(place.path, (empty) => empty));
  const { scope, name } = setting;
  const time = now.toISOString();
  const before = find(store.secrets, setting);
  const secret = await keep(place, store.salt, { scope, name, created_at: before?.created_at ?? time, updated_at: time }, value, before);
  let earlier: LocalSecret | undefined;
  try {
    await changeStore(place.path, (there) => {
      requireRoom(there.secrets, setting);
      if (there.salt !== store.salt) throw new CliError(`${place.path} was replaced meanwhile`, "try again");
      earlier = find(there.secrets, setting);
      return { ...there, secrets: [...there.secrets.filter((one) => one !== earlier), secret] };
    });
  } catch (error) {
    await forgetKept(place.keychain, secret);
    throw error;
  }
  if (earlier && !(await forgetKept(place.keychain, earlier))) note(`warning: the earlier value of ${name} is still in the keychain, which cannot be reached`);
  return secret;
}

type Named = Pick<LocalSetting, "scope" | "name">;

function find(secrets: readonly LocalSecret[], { scope, name }: Named): LocalSecret | undefined {
  return secrets.find((one) => one.scope === scope && one.name === name);
}

/** What no variable can hold is not kept: a local secret has no other use. */
function requireValue(value: string): void {
  const bytes = Buffer.byteLength(value);
  if (bytes === 0 || bytes > MAX_VALUE_BYTES || !isWellFormed(value))
    throw new CliError("that is not a value that can be kept", `a value is text of 1 to ${MAX_VALUE_BYTES.toLocaleString("en")} bytes`);
  if (value.includes("\0"))
    throw new CliError("the value holds a NUL, which no environment variable can", "without a deployment values are for variables only");
}

/**
 * Refuses what cannot be set, before a value is asked for.
 *
 * @throws {CliError}
 */
export function requireRoom(secrets: readonly LocalSecret[], { scope, name, create }: Named & { readonly create: boolean }): void {
  const reserved = reservationOf(envName(name));
  if (reserved)
    throw new CliError(
      `${name} would be a protected variable (${reserved.pattern}: ${reserved.category})`,
      "choose another name: docs/reserved-names.md says which are reserved, and why",
    );
  const there = find(secrets, { scope, name });
  if (there && create) throw new CliError(`there is a secret ${name} in ${showScope(scope)} already`, "leave --create away to give it a new value");
  const other = secrets.find((one) => one.scope === scope && one.name !== name && envName(one.name) === envName(name));
  if (other)
    throw new CliError(
      `${other.name} in ${showScope(scope)} is the same environment variable, ${envName(name)}`,
      "choose another name, or set the one that is there: one scope holds one secret of an environment name",
    );
  if (!there && secrets.length >= MAX_SECRETS)
    throw new CliError(`there are ${MAX_SECRETS.toLocaleString("en")} secrets on this machine already`, "delete what is not needed any more");
}

async function keep(
  { keychain, only, identity }: LocalPlace,
  salt: string,
  subject: Subject,
  value: string,
  earlier: LocalSecret | undefined,
): Promise<LocalSecret> {
  const kept = only === "file" ? undefined : await keepInKeychain(keychain, subject, value);
  if (kept) return kept;
  const wasInKeychain = earlier !== undefined && placeOf(earlier) === "keychain";
  // A secret that is in the keychain does not come out of it because that is locked today.
  if (only === "keychain" || (wasInKeychain && only === undefined))
    throw new CliError(
      `the keychain does not take the value${wasInKeychain ? `, and the earlier one is there` : ""}: there is none, it is locked, or the value is too long for it`,
      "unlock it, or run this where you are logged in; KEYHOLE_LOCAL_STORE=file keeps it in the file",
      EXIT.unavailable,
    );
  return keepInFile(await deriveKey(identity(), Buffer.from(salt, "base64url")), subject, value);
}
