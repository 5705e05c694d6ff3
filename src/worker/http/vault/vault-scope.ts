import { invalid, type Problem } from "../../../contract/problem.ts";
import type { Scope } from "../../../contract/scope.ts";
import { type SecretName, secretNameSchema } from "../../../contract/secret-name.ts";
import { isKindWord, parseObjectPath } from "../../../contract/vault-path.ts";
import type { Caller } from "../../access/caller.ts";
import { exactScopes } from "../../access/exact-scopes.ts";
import { namedSegments, type VaultPath } from "./vault-path.ts";

/**
 * The scope that a path names. What does not begin with a kind of scope is a repository.
 *
 * @throws {Problem} `invalid-request`.
 */
export function scopeOf(segments: readonly string[]): Scope {
  const parsed = parseObjectPath(segments);
  if ("reason" in parsed) throw badPath(parsed.reason);
  return parsed.scope;
}

/** The scope that the path of a request names. */
export function scopeAt(path: VaultPath): Scope {
  return scopeOf(namedSegments(path, 2));
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
  if (above.length === 0 && isKindWord(last)) throw badPath("a name that is the word for a kind of scope stands behind its scope: global/team");
  const scope = above.length === 0 ? null : scopeOf(above);
  const { data, error } = secretNameSchema.safeParse(last);
  if (error) throw badPath(error.issues[0]?.message ?? "not a name");
  return { scope, name: data };
}

/** The secret that the path of a request names. */
export function secretAt(path: VaultPath): NamedSecret {
  return secretOf(namedSegments(path, 2));
}

/** The secret that the path of a request names, to write to. */
export function targetAt(caller: Caller, path: VaultPath): { readonly scope: Scope; readonly name: SecretName } {
  const { scope, name } = secretAt(path);
  return { scope: scope ?? ownScope(caller), name };
}

function badPath(reason: string): Problem {
  return invalid("path", reason);
}

/**
 * The one scope that a caller writes to who names none.
 *
 * @throws {Problem} `invalid-request` unless the grant has exactly one exact scope.
 */
function ownScope(caller: Caller): Scope {
  const [only, another] = exactScopes(caller);
  if (only !== undefined && another === undefined) return only;
  throw badPath("without a scope a secret is written only by a token whose grant has exactly one exact scope; put the scope before the name");
}
