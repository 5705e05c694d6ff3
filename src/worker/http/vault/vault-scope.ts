import { invalid, type Problem } from "../../../contract/problem.ts";
import { type Scope, scopeSchema } from "../../../contract/scope.ts";
import { type SecretName, secretNameSchema } from "../../../contract/secret-name.ts";
import type { Caller } from "../../access/caller.ts";

/** What begins the path of a scope that is no repository, or of one by its full name; in any case, so that none is taken for another. */
const KINDS = ["global", "builtin", "team", "namespace", "agent", "repo"];

/**
 * The scope that a path names. What does not begin with a kind of scope is a repository.
 *
 * @throws {Problem} `invalid-request`.
 */
export function scopeOf(segments: readonly string[]): Scope {
  const [kind = "", ...rest] = segments;
  const text = isKind(kind) ? kindOf(kind, rest) : `repo:${segments.join("/")}`;
  const { data, error } = scopeSchema.safeParse(text);
  if (error) throw invalid("path", error.issues[0]?.message ?? "not a scope");
  return data;
}

function isKind(segment: string): boolean {
  return KINDS.includes(segment.toLowerCase());
}

function kindOf(kind: string, rest: readonly string[]): string {
  if (kind === "global" && rest.length === 0) return kind;
  if (kind === "repo" && rest.length > 0) return `repo:${rest.join("/")}`;
  if ((kind === "team" || kind === "namespace" || kind === "agent") && rest.length === 1) return `${kind}:${rest[0]}`;
  throw notAKind();
}

function notAKind(): Problem {
  return invalid(
    "path",
    "a path that begins with global, builtin, team, namespace, agent or repo is exactly global, team/x, namespace/x, agent/x or repo/a/b; repo/team/x is a repository whose name begins so",
  );
}

/** One secret: where it is, and its name. */
export interface NamedSecret {
  /** `null` where the path has none: then it is one of the token's own. */
  readonly scope: Scope | null;
  readonly name: SecretName;
}

/**
 * The secret that a path names: its last segment is the name.
 *
 * @throws {Problem} `invalid-request`.
 */
export function secretOf(segments: readonly string[]): NamedSecret {
  const last = segments.at(-1) ?? "";
  const above = segments.slice(0, -1);
  if (above.length === 0 && isKind(last)) throw notAKind();
  const scope = above.length === 0 ? null : scopeOf(above);
  const { data, error } = secretNameSchema.safeParse(last);
  if (error) throw invalid("path", error.issues[0]?.message ?? "not a name");
  return { scope, name: data };
}

/**
 * The one scope that a caller writes to who names none.
 *
 * @throws {Problem} `invalid-request` unless the grant has exactly one exact scope.
 */
export function ownScope({ secretScopes }: Caller): Scope {
  const [only, another] = new Set((secretScopes ?? []).flatMap((pattern) => scopeSchema.safeParse(pattern).data ?? []));
  if (only !== undefined && another === undefined) return only;
  throw invalid("path", "without a scope a secret is written only by a token whose grant has exactly one exact scope; put the scope before the name");
}

/** The path of a scope, as lists show it: a repository bare, unless it would be taken for something else. */
export function pathOf(scope: string): string {
  const [kind = "", rest] = scope.split(/:(.*)/s);
  if (rest === undefined) return kind;
  const [first = ""] = rest.split("/");
  return kind === "repo" && !isKind(first) ? rest : `${kind}/${rest}`;
}
