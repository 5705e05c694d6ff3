import { type Scope, scopeSchema } from "../../contract/scope.ts";
import { type CliError, usageError } from "../cli-error.ts";
import { folderOfScope, type LocalScope, parseLocalScope, showScope } from "./local-scope.ts";

/** Asks which scope of the deployment a folder is, and has an answer to suggest, or none. */
type Ask = (scope: LocalScope, suggestion: Scope | undefined) => Promise<string>;

/** How the scopes of this machine become those of a deployment. */
export interface Placing {
  /** `--as`: a scope of the deployment, or `FROM=TO`. */
  readonly given: readonly string[];
  readonly suggest: (folder: string) => Scope | undefined;
  /** `undefined` where there is nobody to ask. */
  readonly ask: Ask | undefined;
}

/**
 * The scope of the deployment for each scope of this machine: its own, or the one that is given. A folder has none of its own:
 * that is asked for.
 *
 * @throws {CliError} where a folder has no scope, or two scopes have the same one.
 */
export async function placeScopes(scopes: readonly LocalScope[], { given, suggest, ask }: Placing): Promise<Map<LocalScope, Scope>> {
  const placed = new Map<LocalScope, Scope>();
  for (const [from, to] of given.map((text) => parsePlacement(text, scopes))) {
    if (placed.has(from)) throw usageError(`--as: ${showScope(from)} is given twice`, "say once where it goes");
    placed.set(from, to);
  }
  const unplaced: { scope: LocalScope; suggestion: Scope | undefined }[] = [];
  for (const scope of scopes.filter((one) => !placed.has(one))) {
    const folder = folderOfScope(scope);
    if (folder === undefined) placed.set(scope, scopeSchema.parse(scope));
    else if (ask) placed.set(scope, requireTarget(await ask(scope, suggest(folder))));
    else unplaced.push({ scope, suggestion: suggest(folder) });
  }
  if (unplaced.length > 0) throw unknownRepositories(unplaced);
  requireApart(placed);
  return placed;
}

function parsePlacement(text: string, scopes: readonly LocalScope[]): [LocalScope, Scope] {
  // A scope of a deployment has no `=` in it, a path may have.
  const equals = text.lastIndexOf("=");
  const repos = scopes.filter((scope) => folderOfScope(scope) !== undefined);
  if (equals === -1 && repos.length === 0) throw usageError("--as: there is no repository to push", "leave it out, or give FROM=TO");
  if (equals === -1 && repos.length !== 1)
    throw usageError(`--as: there are ${repos.length} repositories to push`, "say which one goes where: --as repo:~/code/api=repo:acme/api");
  const from = equals === -1 ? (repos[0] as LocalScope) : parseLocalScope(text.slice(0, equals));
  if (!scopes.includes(from)) throw usageError(`--as: there is nothing to push in ${showScope(from)}`, "`keyhole list --local` shows what there is");
  return [from, requireTarget(text.slice(equals + 1))];
}

function requireTarget(text: string): Scope {
  const scope = scopeSchema.safeParse(text);
  if (scope.success) return scope.data;
  throw usageError("that is not a scope of a deployment", "for example repo:acme/api");
}

function unknownRepositories(unplaced: readonly { scope: LocalScope; suggestion: Scope | undefined }[]): CliError {
  const options = unplaced.map(({ scope, suggestion }) => `--as '${unplaced.length > 1 ? `${showScope(scope)}=` : ""}${suggestion ?? "repo:OWNER/NAME"}'`);
  const folders = unplaced.map(({ scope }) => showScope(scope)).join(", ");
  return usageError(`the deployment does not know ${folders}: there a repository has a name and no folder`, `for example ${options.join(" ")}`);
}

/** Two that become one could hold the same name with two values. */
function requireApart(placed: ReadonlyMap<LocalScope, Scope>): void {
  const from = new Map<Scope, LocalScope>();
  for (const [scope, target] of placed) {
    const other = from.get(target);
    if (other !== undefined)
      throw usageError(`${showScope(other)} and ${showScope(scope)} would both be ${target}`, "give one of them another scope with --as");
    from.set(target, scope);
  }
}
