import type { Candidate } from "./compare-push.ts";
import { folderOfScope, type LocalScope, showScope } from "./local-scope.ts";
import type { Store } from "./store-file.ts";

/** How the deployment is told what the scopes of pushed secrets are under here: links do not come along. */
export function linksOf(parents: Store["parents"], pushed: readonly Pick<Candidate, "secret" | "to">[]): string[] {
  const placed = new Map<LocalScope, string>(pushed.map(({ secret, to }) => [secret.scope, to]));
  return [...placed].flatMap(([scope, to]) => {
    const parent = parents[scope];
    if (parent === undefined) return [];
    const above = placed.get(parent) ?? (folderOfScope(parent) === undefined ? parent : "repo:OWNER/NAME");
    return [`${showScope(scope)} is under ${showScope(parent)} here. \`keyhole scope put ${to} --parent ${above}\` says so there.`];
  });
}
