import { SCOPE_KINDS, type ScopeKind } from "../../contract/scope.ts";
import type { ListSecretsQuery } from "../../contract/secret.ts";
import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { type ScopeRange, selectSecrets, type TextRange } from "../store/secret-list.ts";
import { type Page, pageOf } from "../transaction/page-of.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { exactRange, intersect, prefixRange, rangesOf } from "../transaction/text-ranges.ts";
import { verifyRows } from "../transaction/verify-row.ts";

/** Where a list goes on: after this name and scope. */
export interface Position {
  readonly name: string;
  readonly scope: string;
}

/**
 * Lists the secrets within the caller's grant, by name, then scope. A page begins after a position and not at a
 * number, so writes between two pages make it neither skip nor repeat.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function listSecrets(
  needs: CallerNeeds & { readonly now: Date },
  caller: Caller,
  query: ListSecretsQuery,
  after: Position | undefined,
): Promise<Page<SecretRow, Position>> {
  caller.require("secrets:read", query.scope, query.name);
  const { limit, label, due, state, deleted } = query;
  const filter = {
    org: caller.org,
    names: namesAsked(query, caller),
    scopes: scopesAsked(query, caller),
    label: label === undefined ? undefined : splitLabel(label),
    due,
    deleted: deleted === "true",
    state,
    after,
    now: needs.now.getTime(),
    limit: limit + 1,
  };
  const [result] = await readForCaller(needs, caller, [selectSecrets(needs.db, filter)]);
  return pageOf(await verifyRows(needs.keyring, "secrets", rowsOf<SecretRow>(result)), limit, ({ name, scope }) => ({ name, scope }));
}

function splitLabel(label: string): { key: string; value: string } {
  const colon = label.indexOf(":");
  return { key: label.slice(0, colon), value: label.slice(colon + 1) };
}

/** The names that are asked for, as far as the grant covers them. */
function namesAsked({ name, prefix }: ListSecretsQuery, { secretNames }: Caller): TextRange[] {
  const asked = [name !== undefined && exactRange(name), prefix !== undefined && prefixRange(prefix)].filter((range) => range !== false);
  return asked.reduce(intersect, rangesOf(secretNames));
}

/** The scopes that are asked for, as far as the grant covers them, kind by kind; `null` for everywhere. */
function scopesAsked({ scope, kind }: ListSecretsQuery, { secretScopes }: Caller): ScopeRange[] | null {
  const everywhere = secretScopes?.some((pattern) => pattern === "*") ?? true;
  if (everywhere && scope === undefined && kind === undefined) return null;
  const covered = rangesOf(secretScopes);
  const asked = scope === undefined ? covered : intersect(covered, exactRange(scope));
  return (kind === undefined ? SCOPE_KINDS : [kind]).flatMap((each) => {
    const whole = kindRange(each);
    return intersect(asked, whole).map((range) => ({ ...range, kind: range.from === whole.from && range.to === whole.to ? each : null }));
  });
}

function kindRange(kind: ScopeKind): TextRange {
  return kind === "global" ? exactRange(kind) : prefixRange(`${kind}:`);
}
