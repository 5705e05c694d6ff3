import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve, sep } from "node:path";
import { SCOPE_KINDS, type ScopeKind, scopeSchema } from "../../contract/scope.ts";
import { CliError, usageError } from "../cli-error.ts";
import { homeFolder } from "../config-folder.ts";
import { EXIT } from "../exit-code.ts";

/** A scope on this machine: one of the grammar, or for a repository `repo:` and the real path of its folder. */
export type LocalScope = string & { readonly local: unique symbol };

const REPO = "repo:";
/** Paths say that they are some: `repo:acme/api` is a repository of a deployment. */
const PATH = /^(?:~|\.{1,2})(?:[/\\]|$)/;
const HINT = "on this machine a repository is the path of its folder: repo:~/code/api, repo:./api or repo:. for this one";

/**
 * The scope that a text means here. A folder is its real one, whatever links lead to it.
 *
 * @param mustExist Whether a folder has to be there; else the name of one that was is taken, too.
 * @throws {CliError}
 */
export function parseLocalScope(text: string, mustExist = false): LocalScope {
  if (text.startsWith(REPO)) return repoScope(folderOf(text.slice(REPO.length)), mustExist);
  if (scopeSchema.safeParse(text).success) return text as LocalScope;
  throw usageError("that is not a scope", `global, team:NAME, namespace:NAME, agent:NAME or repo:PATH; ${HINT}`);
}

function folderOf(path: string): string {
  if (path.includes("\0") || !(PATH.test(path) || isAbsolute(path))) throw usageError("that is not the path of a folder", HINT);
  if (!path.startsWith("~")) return resolve(path);
  const home = homeFolder();
  if (home === undefined) throw new CliError("there is no home folder for ~", "set HOME to an absolute path, or write the path in full");
  return resolve(join(home, path.slice(1)));
}

function repoScope(folder: string, mustExist: boolean): LocalScope {
  const there = statSync(folder, { throwIfNoEntry: false });
  if (there && !there.isDirectory()) throw new CliError(`${folder} is not a folder`, HINT);
  if (!there && mustExist) throw new CliError(`there is no folder ${folder}`, HINT, EXIT.notFound);
  return (REPO + realPathOf(folder)) as LocalScope;
}

/** The real path, also of what is not there any more: of what of it there is. */
function realPathOf(path: string): string {
  if (existsSync(path)) return realpathSync.native(path);
  const above = dirname(path);
  return above === path ? path : join(realPathOf(above), path.slice(above.length));
}

/** The scopes of a folder and of all that it is in, nearest first. */
export function reposAbove(folder: string): LocalScope[] {
  const above: LocalScope[] = [];
  for (let at = realPathOf(folder); ; at = dirname(at)) {
    above.push((REPO + at) as LocalScope);
    if (dirname(at) === at) return above;
  }
}

/** The folder of a repository's scope; `undefined` of any other scope. */
export function folderOfScope(scope: LocalScope): string | undefined {
  return scope.startsWith(REPO) ? scope.slice(REPO.length) : undefined;
}

/** A scope as people write it: what is in the home folder begins with `~`. */
export function showScope(scope: LocalScope): string {
  const folder = folderOfScope(scope);
  const home = homeFolder();
  if (folder === undefined || home === undefined) return scope;
  const real = realPathOf(home);
  if (folder === real) return `${REPO}~`;
  return folder.startsWith(real + sep) ? `${REPO}~${folder.slice(real.length)}` : scope;
}

/** The part of a scope before the colon. */
export function kindOfScope(scope: LocalScope): ScopeKind {
  return scope.split(":", 1)[0] as ScopeKind;
}

/** Scopes in the order in which they are searched, most specific kind first, and within a kind as they come. */
export function bySpecificKind(a: LocalScope, b: LocalScope): number {
  return SCOPE_KINDS.indexOf(kindOfScope(a)) - SCOPE_KINDS.indexOf(kindOfScope(b));
}

/** Whether what a file says is a scope of this machine. */
export function isLocalScope(text: string): text is LocalScope {
  return text.startsWith(REPO) ? isAbsolute(text.slice(REPO.length)) && !text.includes("\0") : scopeSchema.safeParse(text).success;
}
