import type { AsyncEntry } from "@napi-rs/keyring";

// On Linux the fallback of the library is the kernel's keyring, which a restart empties: better a file that stays.
const LASTING = { linux: { store: "secret-service" } } as const;

/** Puts a password into the system's keychain. False where there is none. */
export async function writeKeychain(service: string, account: string, password: string): Promise<boolean> {
  try {
    await (await entryFor(service, account, true)).setPassword(password);
    return true;
  } catch {
    return false;
  }
}

/** A password in the system's keychain, or `undefined` where there is none, or no keychain. */
export async function readKeychain(service: string, account: string, lasting = true): Promise<string | undefined> {
  try {
    return (await (await entryFor(service, account, lasting)).getPassword()) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Takes a password out of the system's keychain. False where it may still be there: the keychain is locked, or cannot be reached. */
export async function deleteFromKeychain(service: string, account: string): Promise<boolean> {
  try {
    await (await entryFor(service, account, true)).deletePassword();
    return true;
  } catch {
    return false;
  }
}

/** Whether the system has a keychain that can be asked now. */
export async function hasKeychain(service: string): Promise<boolean> {
  try {
    await (await entryFor(service, "is there one", true)).getPassword();
    return true;
  } catch {
    return false;
  }
}

/** Loaded when it is needed: it is native code, which not every machine has. */
async function entryFor(service: string, account: string, lasting: boolean): Promise<AsyncEntry> {
  const { AsyncEntry } = await import("@napi-rs/keyring");
  return new AsyncEntry(service, account, lasting ? (LASTING as never) : undefined);
}
