import { note, printJson } from "../output.ts";
import { askToConfirm } from "../prompt.ts";
import { deleteLocal } from "./delete-local.ts";
import { localPlace } from "./local-place.ts";
import { parseLocalScope, showScope } from "./local-scope.ts";
import { notFoundHere } from "./not-found-here.ts";
import { readStore } from "./store-file.ts";

/** What `keyhole delete --local` takes. */
interface Given {
  readonly name: string;
  readonly scope: string;
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Which options `keyhole delete` takes with `--local`. There a delete is always for good. */
export const DELETE_OPTIONS = ["scope", "yes", "purge"];

/** `keyhole delete --local`. */
export async function deleteHere({ name, scope: wanted, yes, json }: Given): Promise<void> {
  const scope = parseLocalScope(wanted);
  const place = localPlace();
  const secrets = readStore(place.path)?.secrets ?? [];
  const secret = secrets.find((one) => one.scope === scope && one.name === name);
  if (!secret) throw notFoundHere([name], [scope], secrets);
  await askToConfirm(`Delete ${name} in ${showScope(scope)}, for good?`, yes);
  await deleteLocal(place, secret);
  if (json) printJson({ deleted: { name, scope: showScope(scope), deleted_until: null } });
  else note(`Deleted ${name} in ${showScope(scope)}, for good.`);
}
