import { CliError } from "../cli-error.ts";
import { deriveKey } from "../seal-entry.ts";
import { placeOf, readKept } from "./keep-value.ts";
import type { LocalPlace } from "./local-place.ts";
import { showScope } from "./local-scope.ts";
import type { LocalSecret } from "./store-file.ts";

/**
 * The values of secrets, in their order: all of them.
 *
 * @param salt The store's.
 * @throws {CliError} with a line for each that does not open here, or that the keychain does not give. No other one takes its place.
 */
export async function readLocal({ keychain, identity }: LocalPlace, salt: string, secrets: readonly LocalSecret[]): Promise<string[]> {
  let derived: Promise<Uint8Array> | undefined;
  // Deriving takes as long as everything else together: it happens once, and only where something is sealed under it.
  const key = () => (derived ??= deriveKey(identity(), Buffer.from(salt, "base64url")));
  const values: string[] = [];
  const places: string[] = [];
  for (const secret of secrets) {
    const value = await readKept(keychain, key, secret);
    if (value === undefined) places.push(`${secret.name} in ${showScope(secret.scope)}: ${placeOf(secret) === "file" ? NOT_OPENED : NOT_GIVEN}`);
    else values.push(value);
  }
  if (places.length === 0) return values;
  throw new CliError("not every value can be had", "set them again, or delete them; `--only` names the ones that you need", undefined, places);
}

const NOT_OPENED = "it does not open here: it was changed, or comes from another machine or user";
const NOT_GIVEN = "the keychain does not give it: it is locked, cannot be reached, or has it no more";
