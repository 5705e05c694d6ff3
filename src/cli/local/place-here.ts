import { MAX_DEPTH } from "../../contract/scope.ts";
import { CliError, usageError } from "../cli-error.ts";
import { EXIT } from "../exit-code.ts";
import { note, printJson } from "../output.ts";
import { printTable } from "../print-table.ts";
import { localPlace } from "./local-place.ts";
import { type LocalScope, parseLocalScope, showScope } from "./local-scope.ts";
import { scopesAbove } from "./search-local.ts";
import { changeStore, readStore, type Store } from "./store-file.ts";

/** `keyhole scope list --local`. */
export function listScopesHere(json: boolean | undefined): void {
  const { secrets = [], parents = {} } = readStore(localPlace().path) ?? {};
  const scopes = [...new Set([...secrets.map(({ scope }) => scope), ...(Object.entries(parents).flat() as LocalScope[])])].sort();
  const found = scopes.map((scope) => ({
    scope: showScope(scope),
    parent: parents[scope] === undefined ? null : showScope(parents[scope]),
    secrets: secrets.filter((one) => one.scope === scope).length,
  }));
  if (json) printJson(found);
  else
    printTable(
      ["SCOPE", "PARENT", "SECRETS"],
      found.map(({ scope, parent, secrets }) => [scope, parent ?? "-", String(secrets)]),
      "No scopes.",
    );
}

/** `keyhole scope put --local`: what is in the one scope is also looked for in the other. */
export async function putScopeHere(given: string, under: string, json: boolean | undefined): Promise<void> {
  const [scope, parent] = [parseLocalScope(given, true), parseLocalScope(under, true)];
  if (scope === "global") throw usageError("global is under no scope", "it is what all scopes are under");
  await changeStore(localPlace().path, (there) => {
    const above = [parent, ...scopesAbove(there.parents, parent)];
    if (above.includes(scope)) throw new CliError(`${showScope(scope)} would be under itself`, "`keyhole scope list --local` shows what is under what");
    if (above.length > MAX_DEPTH) throw new CliError(`${showScope(scope)} would be under more than ${MAX_DEPTH} scopes`, "put it under a wider one");
    return { ...there, parents: { ...there.parents, [scope]: parent } };
  });
  if (json) printJson({ scope: showScope(scope), parent: showScope(parent) });
  else note(`${showScope(scope)} is under ${showScope(parent)}.`);
}

/** `keyhole scope delete --local`: the link alone. */
export async function deleteScopeHere(given: string, json: boolean | undefined): Promise<void> {
  const scope = parseLocalScope(given);
  await changeStore(localPlace().path, (there) => ({ ...there, parents: without(there, scope) }));
  if (json) printJson({ scope: showScope(scope), deleted: 0, deleted_until: null });
  else note(`${showScope(scope)} is under no other scope.`);
}

function without({ parents }: Store, scope: LocalScope): Store["parents"] {
  if (!Object.hasOwn(parents, scope))
    throw new CliError(`${showScope(scope)} is under no scope`, "`keyhole scope list --local` shows what is under what", EXIT.notFound);
  const { [scope]: _, ...rest } = parents;
  return rest;
}
