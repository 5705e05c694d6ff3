import { Problem } from "../../contract/problem.ts";
import { MAX_RELEASED } from "../../contract/resolve.ts";
import { envName, type SecretName } from "../../contract/secret-name.ts";
import type { ResolutionQuery, Winner, WinnerRow } from "../store/resolution.ts";
import { searchedLabels } from "../store/scope-search.ts";
import type { BoundValue } from "./read-values.ts";

/** A secret that a search selected: where its value is, and not the value. */
type SelectedSecret = BoundValue & {
  readonly name: SecretName;
  /** The scope that won, or `builtin`. */
  readonly label: string;
  readonly id: string;
  readonly version: number;
};

/** What a search came to. Versions are immutable: the same secrets in the same versions are the same values. */
export interface Selection {
  /** By name. */
  readonly secrets: readonly SelectedSecret[];
  /** The names that were asked for and are nowhere, or have expired. */
  readonly missing: readonly string[];
  /** The labels of the scopes that were searched, in the order of the search. */
  readonly searched: readonly string[];
}

declare const onRecord: unique symbol;
/** A selection whose event is committed: the only one that may be released. */
export type RecordedSelection = Selection & { readonly [onRecord]: true };

/**
 * The selection in the rows that a query found. What refuses a query as a whole is known to `releasedSecrets`, too:
 * there the event names nothing, here nothing leaves.
 *
 * @throws {Problem} `too-many-secrets`, `secret-not-found`, `secret-expired`, `env-name-conflict`.
 */
export function selectionOf(query: ResolutionQuery, rows: readonly WinnerRow[]): Selection {
  const searched = searchedLabels(rows[0]?.searched ?? "[]");
  const winners = rows.filter((row): row is WinnerRow & Winner => row.name !== null).sort((a, b) => (a.name < b.name ? -1 : 1));
  refuseAsAWhole(query, winners, searched);
  const releasable = winners.filter((winner) => !winner.expired);
  const released = new Set(releasable.map(({ name }) => name));
  const asked = query.names ?? winners.map(({ name }) => name);
  return { secrets: releasable.map(selected), missing: asked.filter((name) => !released.has(name)), searched };
}

function selected({ searched, links, expired, ...winner }: WinnerRow & Winner): SelectedSecret {
  return { ...winner, name: winner.name as SecretName, binding: winner };
}

function refuseAsAWhole(query: ResolutionQuery, winners: readonly Winner[], searched: readonly string[]): void {
  if (winners.length > MAX_RELEASED) throw new Problem("too-many-secrets", `More than ${MAX_RELEASED} secrets apply; name the ones you need.`);
  const held = new Set(winners.map(({ name }) => name));
  const missing = (query.names ?? []).filter((name) => !held.has(name));
  const expired = winners.filter((winner) => winner.expired).map(({ name }) => name);
  const members = { ...(missing.length > 0 && { missing }), ...(expired.length > 0 && { expired }), searched: [...searched] };
  if (query.strict && missing.length > 0)
    throw new Problem("secret-not-found", `Not found in ${searched.join(", ") || "any scope"}: ${missing.join(", ")}.`, { members });
  if (query.strict && expired.length > 0)
    throw new Problem("secret-expired", `Expired: ${expired.join(", ")}. A wider scope is not used instead.`, { members });
  if (query.distinct_env_names) refuseSharedEnvNames(winners);
}

function refuseSharedEnvNames(winners: readonly Winner[]): void {
  const byVariable = new Map<string, string>();
  for (const { name } of winners.filter((winner) => !winner.expired)) {
    const variable = envName(name as SecretName);
    const other = byVariable.get(variable);
    if (other !== undefined) throw new Problem("env-name-conflict", `${other} and ${name} would both become ${variable}.`);
    byVariable.set(variable, name);
  }
}
