import { join } from "node:path";
import { CliError, usageError } from "../cli-error.ts";
import { homeFolder } from "../config-folder.ts";
import { machineIdentity } from "../machine-identity.ts";
import { type Keychain, SYSTEM_KEYCHAIN } from "./keep-value.ts";

/** Where the secrets of a machine are, and whose machine it is. */
export interface LocalPlace {
  /** The file: what is known of all secrets, and the values that no keychain has. */
  readonly path: string;
  readonly keychain: Keychain;
  /** The one place for new values; `undefined` for the keychain where there is one, and else the file. */
  readonly only: "keychain" | "file" | undefined;
  /** Data from which the file's key is derived. */
  readonly identity: () => string;
}

/** This machine's own, in `~/.keyhole`. */
export function localPlace(): LocalPlace {
  const home = homeFolder();
  if (home === undefined) throw new CliError("there is no home folder to keep secrets in", "set HOME to an absolute path");
  return { path: join(home, ".keyhole", "local.json"), keychain: SYSTEM_KEYCHAIN, only: onlyPlace(process.env.KEYHOLE_LOCAL_STORE), identity: machineIdentity };
}

function onlyPlace(given: string | undefined): LocalPlace["only"] {
  if (!given) return undefined;
  if (given === "keychain" || given === "file") return given;
  throw usageError("KEYHOLE_LOCAL_STORE is not a place for values", "keychain or file; without it the keychain where there is one, and else the file");
}
