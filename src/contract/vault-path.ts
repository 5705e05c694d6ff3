import { type Scope, scopeSchema } from "./scope.ts";

/** What the first segment of an object's path says, but for that of a repository, in whatever case. */
const WORDS: ReadonlySet<string> = new Set(["global", "builtin", "team", "namespace", "agent", "repo"]);
/** The words after which one name follows. */
const NAMED = ["team", "namespace", "agent"] as const;

/** Whether a first segment says that the path is none of a repository. */
export function isKindWord(segment: string): boolean {
  return WORDS.has(segment.toLowerCase());
}

/** The scope that a path is of, or why it is of none, in a sentence. */
export type ParsedObjectPath = { readonly scope: Scope } | { readonly reason: string };

/**
 * Reads the path of an object: `global`, `team/x`, `namespace/x`, `agent/x`, `repo/a/b`, and everything else is the path of a
 * repository. One that begins with such a word in any case has exactly that form: `team/pay/db` is no repository.
 *
 * @param segments Decoded, without a last empty one.
 */
export function parseObjectPath(segments: readonly string[]): ParsedObjectPath {
  const [first = "", ...rest] = segments;
  const bad = segments.find((segment) => segment === "" || segment === "." || segment === ".." || segment.includes("/"));
  if (segments.length === 0) return { reason: "the path is empty" };
  if (bad !== undefined) return { reason: "no part of a path is empty, '.' or '..', or holds a '/'" };
  const text = scopeText(first, rest);
  if (text === undefined)
    return { reason: `a path that begins with ${first} is global, team/<name>, namespace/<name>, agent/<name> or repo/<path>, and this is none of them` };
  const parsed = scopeSchema.safeParse(text);
  return parsed.success ? { scope: parsed.data } : { reason: parsed.error.issues[0]?.message ?? "not the path of an object" };
}

function scopeText(first: string, rest: readonly string[]): string | undefined {
  if (!isKindWord(first)) return `repo:${[first, ...rest].join("/")}`;
  if (first === "global" && rest.length === 0) return first;
  if (first === "repo" && rest.length > 0) return `repo:${rest.join("/")}`;
  return NAMED.some((kind) => kind === first) && rest.length === 1 ? `${first}:${rest[0]}` : undefined;
}

/** The path of a scope's object: that of a repository bare, where that does not mean something else. */
export function objectPathOf(scope: Scope): string {
  const colon = scope.indexOf(":");
  if (colon === -1) return scope;
  const [kind, rest] = [scope.slice(0, colon), scope.slice(colon + 1)];
  return kind === "repo" && !isKindWord(rest.split("/", 1)[0] ?? "") ? rest : `${kind}/${rest}`;
}
