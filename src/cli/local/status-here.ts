import { printJson } from "../output.ts";
import { printFields } from "../print-table.ts";
import { placeOf } from "./keep-value.ts";
import { localPlace } from "./local-place.ts";
import { showScope } from "./local-scope.ts";
import { searchOrder } from "./search-local.ts";
import { readStore } from "./store-file.ts";
import { LOCAL_PROFILE } from "./wants-local.ts";

/** `keyhole status --local`: where values are kept, and which scopes apply in this folder. */
export async function statusHere(json: boolean | undefined): Promise<void> {
  const { path, only, keychain } = localPlace();
  const { secrets = [], parents = {} } = readStore(path) ?? {};
  const hasKeychain = only === "file" ? null : await keychain.isThere();
  const next = only ?? (hasKeychain ? "keychain" : "file");
  const count = (place: "keychain" | "file") => secrets.filter((one) => placeOf(one) === place).length;
  const scopes = searchOrder({ secrets, parents }, [], process.cwd()).map(showScope);
  const kept = { keychain: count("keychain"), file: count("file") };
  if (json) return printJson({ profile: LOCAL_PROFILE, file: path, keychain: hasKeychain, new_values_in: next, kept, scopes });
  printFields([
    ["profile", `${LOCAL_PROFILE}: this machine, without a deployment`],
    ["file", path],
    ["keychain", hasKeychain === null ? "is not asked (KEYHOLE_LOCAL_STORE=file)" : hasKeychain ? "there is one" : "there is none, or it cannot be reached"],
    ["new values", next === "keychain" ? "in the keychain" : "in the file, encrypted for this machine"],
    ["values", `${kept.keychain} in the keychain, ${kept.file} in the file`],
    ["scopes here", scopes.join(" ")],
  ]);
}
