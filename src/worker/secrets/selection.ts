import type { Action } from "../../contract/audit.ts";
import { keyOfName } from "../../contract/object-key.ts";
import { Problem } from "../../contract/problem.ts";
import { MAX_RELEASED } from "../../contract/resolve.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Unavailable } from "../../contract/unavailable.ts";
import type { Caller } from "../access/caller.ts";
import type { OpenedLease } from "../audit/insert-event.ts";
import type { SeenOrg } from "../store/epoch-rows.ts";
import type { ResolutionQuery, Winner, WinnerRow } from "../store/resolution.ts";
import type { ScopeRevision } from "../store/scope-revisions.ts";
import { searchedLabels } from "../store/scope-search.ts";
import type { Needed } from "./leave-out.ts";
import type { BoundValue } from "./read-values.ts";
import { requireFits } from "./require-fits.ts";

/** A secret that a search selected: where its value is, and not the value. */
type SelectedSecret = BoundValue & {
  readonly name: SecretName;
  /** The scope that won, or `builtin`. */
  readonly label: string;
  readonly id: string;
  readonly version: number;
  /** When the version was made, in milliseconds since 1970. */
  readonly set_at: number;
  readonly variable: 0 | 1;
  /** Where it may go, as JSON. */
  readonly hosts: string;
};

/** What a search came to, beside the secrets themselves. */
export interface Findings {
  /** The names that were asked for and are nowhere, or have expired. */
  readonly missing: readonly string[];
  /** The names that have expired, where none were asked for. */
  readonly expired: readonly string[];
  /** The names that would become a reserved variable, where what is released becomes variables. */
  readonly skipped: readonly string[];
  /** The names whose value cannot be had. */
  readonly unavailable: readonly Unavailable[];
  /** The labels of the scopes that were searched, in the order of the search. */
  readonly searched: readonly string[];
  /** Those of the scopes asked for that nobody has declared or used. */
  readonly empty: readonly string[];
  /** How the scope is that was read as one object; `null` where it never was written, or none was. */
  readonly object: ScopeRevision | null;
}

/** What a search came to. Versions are immutable: the same secrets in the same versions are the same values. */
export interface Selection extends Findings {
  /** By name. */
  readonly secrets: readonly SelectedSecret[];
}

/** The event that puts a selection on record. */
export interface SelectionEvent {
  readonly action: Action;
  /** What the values are for, where that is no secret. */
  readonly target?: string;
  /** The lease that it opens, and the organizations whose epochs are read with what is selected. */
  readonly lease?: { readonly opened: OpenedLease; readonly orgs: readonly SeenOrg[] } | undefined;
}

/** A selection, who it is for, and the event that says so. */
export interface AttributedSelection extends Selection {
  readonly caller: Caller;
  readonly event: Omit<SelectionEvent, "lease">;
  readonly needed: Needed;
}

declare const onRecord: unique symbol;
/** A selection whose event is committed: the only one that may be released. */
export type RecordedSelection = AttributedSelection & { readonly [onRecord]: true };

/**
 * The selection in the rows that a query found, but for those that cannot be had. What refuses a query as a whole is
 * known to `releasedSecrets`, too: there the event names nothing, here nothing leaves.
 *
 * @throws {Problem} `too-many-secrets`, `answer-too-large`, `secret-not-found`, `secret-expired`, `name-locked`.
 */
export function selectionOf(query: ResolutionQuery, rows: readonly WinnerRow[], unverified: readonly Unavailable[]): Selection {
  const searched = searchedLabels(rows[0]?.searched ?? "[]");
  const winners = winnersIn(rows);
  refuseAsAWhole(query, winners, searched);
  const outside = winners.filter((winner) => winner.outside && !unverified.some(({ name }) => name === winner.name));
  const cannotBeHad = [...unverified, ...outside.map(({ name }) => ({ name, reason: "name-locked" as const }))];
  const without = new Set(cannotBeHad.map(({ name }) => name));
  const known = winners.filter(({ name }) => !without.has(name));
  const expired = known.filter((winner) => winner.expired).map(({ name }) => name);
  const nowhere = new Set(winners.map(({ name }) => name));
  return {
    secrets: known.filter(isReleased).map(selected),
    missing: (query.names ?? []).filter((name) => !nowhere.has(name) || expired.includes(name)),
    expired: query.names === null ? expired : [],
    skipped: known.filter(({ expired, skipped, shadowed }) => skipped && !expired && !shadowed).map(({ name }) => name),
    unavailable: cannotBeHad,
    searched,
    empty: JSON.parse(rows[0]?.empty ?? "[]") as string[],
    object: JSON.parse(rows[0]?.object ?? "null") as ScopeRevision | null,
  };
}

/** The winners in the rows that a query found, by name. */
export function winnersIn(rows: readonly WinnerRow[]): (WinnerRow & Winner)[] {
  return rows.filter((row): row is WinnerRow & Winner => row.name !== null).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Whether a winner's value is released: the event names exactly these. */
export function isReleased({ expired, skipped, shadowed, outside }: Winner): boolean {
  return !(expired || skipped || shadowed || outside);
}

function selected({ searched, links, empty, object, expired, skipped, shadowed, outside, ...winner }: WinnerRow & Winner): SelectedSecret {
  return { ...winner, name: winner.name as SecretName, binding: winner };
}

function refuseAsAWhole(query: ResolutionQuery, winners: readonly Winner[], searched: readonly string[]): void {
  if (winners.length > MAX_RELEASED) throw new Problem("too-many-secrets", `More than ${MAX_RELEASED} secrets apply; name the ones you need.`);
  if (query.strict) refuseMissing(query, winners, searched);
  if (query.names !== null) refuseLocked(winners);
  requireFits(winners.filter(isReleased).map(({ size }) => size ?? 0));
}

function refuseMissing(query: ResolutionQuery, winners: readonly Winner[], searched: readonly string[]): void {
  const held = new Set(winners.map(({ name }) => name));
  const missing = (query.names ?? []).filter((name) => !held.has(name));
  const expired = winners.filter((winner) => winner.expired && !winner.outside).map(({ name }) => name);
  const members = { ...(missing.length > 0 && { missing }), ...(expired.length > 0 && { expired }), searched: [...searched] };
  if (missing.length > 0) throw new Problem("secret-not-found", `Not found in ${searched.join(", ") || "any scope"}: ${missing.join(", ")}.`, { members });
  if (expired.length > 0) throw new Problem("secret-expired", `Expired: ${expired.join(", ")}. A wider scope is not used instead.`, { members });
}

function refuseLocked(winners: readonly Winner[]): void {
  const outside = winners.filter((winner) => winner.outside);
  if (outside.length > 0) throw nameLocked(outside);
}

/**
 * The answer when names are locked: in a scope that may not be searched, or in one that is wider than the one to be written. It
 * tells people the keys that the names stand for, and programs the names.
 */
export function nameLocked(locks: readonly { readonly name: string; readonly label: string }[]): Problem {
  const listed = locks.map(({ name, label }) => `${keyOfName(name)} (in ${label})`).join(", ");
  const members = { locked: locks.map(({ name }) => name) };
  return new Problem("name-locked", `Locked: ${listed}. What is locked wins over every narrower scope.`, { members });
}
