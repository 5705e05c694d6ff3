import { toBase64url } from "../../contract/base64url.ts";
import { Problem } from "../../contract/problem.ts";
import { MAX_RELEASED } from "../../contract/resolve.ts";
import { BUILTIN, GLOBAL } from "../../contract/scope.ts";
import type { Encoding } from "../../contract/secret.ts";
import { envName, type SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import { unauthenticated } from "../access/verify-token.ts";
import { ACTOR, insertEvent } from "../audit/insert-event.ts";
import type { Binding } from "../envelope/binding.ts";
import { type Found, labelAt, type ResolutionQuery, releasedSecrets, selectWinners, type Winner } from "../store/resolution.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { tokenRevoked } from "../store/token-rows.ts";
import { type ReadNeeds, readValues } from "./read-values.ts";
import { type ResolveRequest, resolutionQuery } from "./resolution-query.ts";

/** What a resolve needs. */
export interface ResolveNeeds extends ReadNeeds {
  readonly db: D1Database;
  readonly platformOrg: string | null;
  readonly now: Date;
}

/** One released secret. `scope` is the one that won, or `builtin`. */
export interface Released {
  readonly name: SecretName;
  readonly bytes: Uint8Array;
  readonly encoding: Encoding;
  readonly scope: string;
  readonly id: string;
  readonly version: number;
}

/** What a resolve comes to. `secrets` is `null` when the caller holds exactly this already. */
export interface Resolved {
  readonly etag: string;
  readonly secrets: readonly Released[] | null;
  readonly missing: readonly string[];
  readonly searched: readonly string[];
}

type Releasable = Extract<Winner, { expired: 0 }>;

/**
 * Releases values: of each name the one in the most specific scope. The audit event is written by the transaction
 * that selects the values, so what is not on record cannot leave.
 *
 * @param known The entity tags of what the caller holds already.
 * @throws {Problem} `forbidden`, `secret-not-found`, `secret-expired`, `env-name-conflict`, `too-many-secrets`,
 *   `unauthenticated` when the token has been revoked, `storage-unavailable`.
 */
export async function resolveSecrets(needs: ResolveNeeds, caller: Caller, request: ResolveRequest, known: readonly string[]): Promise<Resolved> {
  caller.require("secrets:resolve", request.scopes, request.names);
  const query = resolutionQuery(needs, caller, "secrets:resolve", request);
  const { winners, searched, recorded } = await selectAndRecord(needs, caller, query);
  refuseAsAWhole(query, winners, searched);
  const releasable = winners.filter((winner): winner is Releasable => !winner.expired);
  if (recorded !== releasable.length) throw new Error("the audit event and the selected secrets differ");
  const missing = missingNames(query, winners);
  const etag = await entityTag(request.format, releasable, missing, searched);
  if (known.includes(etag)) return { etag, secrets: null, missing, searched };
  return { etag, secrets: await release(needs, caller, releasable), missing, searched };
}

interface Selected {
  readonly winners: readonly Winner[];
  readonly searched: readonly string[];
  /** How many secrets the audit event names. */
  readonly recorded: number;
}

/** A revoked token is found in the same statement that writes the event: one statement less than a guard of its own. */
async function selectAndRecord({ db, now }: ResolveNeeds, caller: Caller, query: ResolutionQuery): Promise<Selected> {
  const released = { ...releasedSecrets(query), unless: tokenRevoked(ACTOR.tokenId, ACTOR.org) };
  const [event, found] = await runBatch(db, [
    insertEvent(db, { actor: caller, action: "secret.resolve", outcome: "allowed", at: now }, released),
    selectWinners(db, query),
  ]);
  const [written] = rowsOf<{ secrets: string }>(event);
  if (!written) throw unauthenticated();
  const rows = rowsOf<Found>(found);
  return {
    winners: rows.filter((row): row is Found & Winner => row.name !== null).sort(byName),
    searched: labelsOf(JSON.parse(rows[0]?.searched ?? "[]") as string[]),
    recorded: (JSON.parse(written.secrets) as unknown[]).length,
  };
}

function byName(a: Winner, b: Winner): number {
  return a.name < b.name ? -1 : 1;
}

/** The labels of places, in the order of the search. */
function labelsOf(places: string[]): string[] {
  return [...new Set(places.sort().map(labelAt))];
}

/** The refusals that {@link releasedSecrets} knows too: there the event names nothing, here nothing leaves. */
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

function missingNames(query: ResolutionQuery, winners: readonly Winner[]): string[] {
  const released = new Set(winners.filter((winner) => !winner.expired).map(({ name }) => name));
  const asked = query.names ?? winners.map(({ name }) => name);
  return asked.filter((name) => !released.has(name));
}

/** A version is immutable, so its id and number stand for its value (RFC 9110, section 8.8.3). */
async function entityTag(format: string, winners: readonly Winner[], missing: readonly string[], searched: readonly string[]): Promise<string> {
  const what = [format, winners.map(({ name, place, id, version }) => [name, labelAt(place), id, version]), missing, searched];
  return `"${toBase64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(what))))}"`;
}

async function release(needs: ResolveNeeds, caller: Caller, winners: readonly Releasable[]): Promise<Released[]> {
  const values = await readValues(
    needs,
    winners.map((winner) => ({ ...winner, binding: bindingOf(needs, caller, winner) })),
  );
  return values.map(([{ name, place, id, version, encoding }, bytes]) => ({ name: name as SecretName, bytes, encoding, scope: labelAt(place), id, version }));
}

/** Where a winner is stored: `builtin` is the `global` scope of the operator's organization. */
function bindingOf({ platformOrg }: ResolveNeeds, { org }: Caller, { name, place, version }: Winner): Binding {
  const scope = labelAt(place);
  return scope === BUILTIN ? { org: platformOrg ?? "", scope: GLOBAL, name, version } : { org, scope, name, version };
}
