import { type Scope, scopeSchema } from "../../contract/scope.ts";
import { isKindWord, parseObjectPath } from "../../contract/vault-path.ts";
import { usageError } from "../cli-error.ts";

/** `--map`: a path, or with a last `/` all that is below it, and the scope it goes to. */
interface Placement {
  readonly from: string;
  readonly to: string;
}

/** Where each path goes. */
export interface Places {
  readonly placed: readonly { readonly path: string; readonly scope: Scope }[];
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * The scope of each path: the one that `--map` names, or else that under which Vault's clients find the path in Keyhole.
 * A path without one is refused, and so are two that have the same: each would be taken for a change of the other.
 *
 * @throws {CliError} when `--map` is not of its form, or names what is not there.
 */
export function placePaths(paths: readonly string[], given: readonly string[]): Places {
  const placements = given.map(parsePlacement);
  for (const { from } of placements)
    if (!paths.some((path) => isFrom(path, from))) throw usageError(`--map: there is no ${from} in the tree`, "`--dry-run` without it lists what there is");
  const found = paths.map((path) => ({ path, ...scopeFor(path, placements) }));
  const [first, last] = [new Map(found.toReversed().map(pathByScope)), new Map(found.map(pathByScope))];
  const placed: { path: string; scope: Scope }[] = [];
  const refused: { path: string; reason: string }[] = [];
  for (const { path, scope, reason } of found) {
    const other = [first.get(scope), last.get(scope)].find((other) => other !== path);
    if (scope === undefined) refused.push({ path, reason });
    else if (other !== undefined) refused.push({ path, reason: `${scope} is also where ${other} goes: place one of them with --map` });
    else placed.push({ path, scope });
  }
  return { placed, refused };

  function pathByScope({ scope, path }: (typeof found)[number]) {
    return [scope, path] as const;
  }
}

function parsePlacement(text: string): Placement {
  // A scope has no `=` in it, a path may have.
  const equals = text.lastIndexOf("=");
  const [from, to] = [text.slice(0, equals).replace(/^\/+/, ""), text.slice(equals + 1)];
  const folder = from.endsWith("/");
  const fits = folder ? to.startsWith("repo:") && (to === "repo:" || to.endsWith("/")) : scopeSchema.safeParse(to).success;
  if (equals < 1 || from === "" || from === "/" || !fits)
    throw usageError("--map is not FROM=SCOPE", "for example --map team/pay/db=repo:pay/db, or for all below a folder --map team/=repo:teams/");
  return { from, to };
}

function isFrom(path: string, from: string): boolean {
  return from.endsWith("/") ? path.startsWith(from) : path === from;
}

type Found = { readonly scope: Scope; readonly reason?: undefined } | { readonly scope?: undefined; readonly reason: string };

function scopeFor(path: string, placements: readonly Placement[]): Found {
  // The one that says most of the path counts.
  const [placement] = placements.filter(({ from }) => isFrom(path, from)).sort((a, b) => b.from.length - a.from.length);
  if (placement === undefined) return usualScope(path);
  const { from, to } = placement;
  const text = from.endsWith("/") ? to + path.slice(from.length) : to;
  const scope = scopeSchema.safeParse(text);
  return scope.success ? { scope: scope.data } : { reason: `${text} is no scope` };
}

function usualScope(path: string): Found {
  const segments = path.split("/");
  const parsed = parseObjectPath(segments);
  if ("scope" in parsed) return parsed;
  const reason = isKindWord(segments[0] ?? "") ? parsed.reason : "a path here has up to 20 parts of up to 100 letters, digits, '.', '_' or '-'";
  return { reason: `${reason}: place it with --map` };
}
