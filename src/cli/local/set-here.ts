import { secretNameSchema } from "../../contract/secret-name.ts";
import { usageError } from "../cli-error.ts";
import { note, printJson } from "../output.ts";
import { readValue, type ValueSource } from "../read-value.ts";
import { shownSecret } from "./list-here.ts";
import { localPlace } from "./local-place.ts";
import { parseLocalScope, showScope } from "./local-scope.ts";
import { requireRoom, setLocal } from "./set-local.ts";
import { readStore } from "./store-file.ts";

/** What `keyhole set --local` takes. */
interface Given extends ValueSource {
  readonly name: string;
  readonly scope: string;
  readonly create?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Which options `keyhole set` takes with `--local`. */
export const SET_OPTIONS = ["scope", "stdin", "env-var", "file", "keychain", "create"];

/** `keyhole set --local`. */
export async function setHere({ name: given, scope: wanted, create = false, json, ...source }: Given): Promise<void> {
  const name = secretNameSchema.safeParse(given);
  if (!name.success) throw usageError("that is not the name of a secret", name.error.issues[0]?.message ?? "");
  const scope = parseLocalScope(wanted, true);
  const place = localPlace();
  // What is wrong with the file or the name is said before a value is asked for.
  requireRoom(readStore(place.path)?.secrets ?? [], { scope, name: name.data, create });
  const value = await readValue(source, `Value of ${given} in ${showScope(scope)}`);
  if (typeof value !== "string") throw usageError("the value is not text", "without a deployment values are for variables only: give it as base64");
  const secret = await setLocal(place, { scope, name: name.data, value, create, now: new Date() });
  const shown = shownSecret(secret);
  if (json) printJson(shown);
  else
    note(
      `Set ${given} in ${showScope(scope)}; its value is in ${shown.kept_in === "keychain" ? "the keychain" : `the file ${place.path}, encrypted for this machine`}.`,
    );
}
