import { randomBytes } from "node:crypto";
import { deleteFromKeychain, hasKeychain, readKeychain, writeKeychain } from "../keychain.ts";
import { openEntry, sealEntry } from "../seal-entry.ts";
import type { LocalSecret } from "./store-file.ts";

/** A keychain: passwords by account. */
export interface Keychain {
  /** Whether it can be asked now. */
  isThere(): Promise<boolean>;
  /** False where it was not taken: there is no keychain, it is locked, or the value is too long for it. */
  write(account: string, value: string): Promise<boolean>;
  read(account: string): Promise<string | undefined>;
  /** False where it may still be there. */
  remove(account: string): Promise<boolean>;
}

const SERVICE = "keyhole-local";

/** The system's own: Keychain, Credential Manager, Secret Service. */
export const SYSTEM_KEYCHAIN: Keychain = {
  isThere: () => hasKeychain(SERVICE),
  write: (account, value) => writeKeychain(SERVICE, account, value),
  read: (account) => readKeychain(SERVICE, account),
  remove: (account) => deleteFromKeychain(SERVICE, account),
};

/** What a value is of, without where it is kept. */
export type Subject = Omit<LocalSecret, "kept">;

/** Keeps a value in the keychain, each time under an id of its own: what others read meanwhile is whole. `undefined` where it does not take it. */
export async function keepInKeychain(keychain: Keychain, subject: Subject, value: string): Promise<LocalSecret | undefined> {
  const secret = { ...subject, kept: { keychain: randomBytes(12).toString("base64url") } };
  return (await keychain.write(accountOf(secret), value)) ? secret : undefined;
}

/** Seals a value for the file. */
export function keepInFile(key: Uint8Array, subject: Subject, value: string): LocalSecret {
  return { ...subject, kept: { sealed: sealEntry(key, aboutOf(subject), value) } };
}

/** A value, or `undefined` where it does not open here or the keychain does not have or give it. */
export async function readKept(keychain: Keychain, key: () => Promise<Uint8Array>, secret: LocalSecret): Promise<string | undefined> {
  const { kept } = secret;
  return "keychain" in kept ? keychain.read(accountOf(secret)) : openEntry(await key(), aboutOf(secret), kept.sealed);
}

/** Takes a value out of the keychain, if it is there. False where it may still be. */
export async function forgetKept(keychain: Keychain, secret: LocalSecret): Promise<boolean> {
  return !("keychain" in secret.kept) || keychain.remove(accountOf(secret));
}

/** Where a value is kept, for people and programs. */
export function placeOf({ kept }: LocalSecret): "keychain" | "file" {
  return "keychain" in kept ? "keychain" : "file";
}

/** The account of a value. It holds scope and name: under another one the file finds nothing. */
function accountOf({ scope, name, kept }: LocalSecret): string {
  return `${scope} ${name} ${"keychain" in kept ? kept.keychain : ""}`;
}

/** What a sealed value is bound to: the version of the format, and what the file says of it. */
function aboutOf({ scope, name, created_at, updated_at }: Subject): string {
  return JSON.stringify(["keyhole/local/v1", scope, name, created_at, updated_at]);
}
