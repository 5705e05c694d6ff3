import { type HostPattern, hostMatches } from "../../contract/hosts.ts";
import { Problem } from "../../contract/problem.ts";
import { type CredentialRef, refsOf, type StoreDefinition } from "../../contract/store.ts";
import type { Caller } from "../access/caller.ts";
import { oneScopeQuery, type QueryNeeds } from "../secrets/resolution-query.ts";
import { selectionOf, winnersIn } from "../secrets/selection.ts";
import { verifyFound } from "../secrets/verify-found.ts";
import { type ResolutionQuery, selectWinners, type WinnerRow } from "../store/resolution.ts";
import { rowsOf } from "../store/run-batch.ts";
import { selectScopeStore } from "../store/scope-store-rows.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { addressesOf } from "./drivers.ts";

/** What looking for a store's credentials needs. */
export type CredentialNeeds = CallerNeeds & Pick<QueryNeeds, "platformOrg" | "now"> & { readonly insecureOrigins: boolean };

/**
 * The search for a store's credentials: in the one scope that it names, and in no other. Whoever has a value of the store need not
 * have a grant for them: it is the store's maker who had, and what is locked above counts all the same.
 *
 * @returns `undefined` for a store without stored credentials.
 */
export function credentialQuery(needs: Pick<CredentialNeeds, "platformOrg" | "now">, caller: Caller, definition: StoreDefinition): ResolutionQuery | undefined {
  const refs = refsOf(definition);
  const [first] = refs;
  if (!first) return undefined;
  return { ...oneScopeQuery(needs, caller, first.scope, namesOf(refs), true), scope_limits: null };
}

/**
 * Refuses a store whose credentials are not there, or are not for where they would go.
 *
 * @throws {Problem} `secret-not-found`, `secret-expired`, `name-locked`, `host-not-allowed`, `integrity-failed`, `storage-unavailable`.
 */
export async function requireCredentials(needs: CredentialNeeds, caller: Caller, definition: StoreDefinition): Promise<void> {
  const query = credentialQuery(needs, caller, definition);
  if (!query) return;
  const [scope = ""] = refsOf(definition).map((ref) => ref.scope);
  const [found, placed] = await readForCaller(needs, caller, [selectWinners(needs.db, query), selectScopeStore(needs.db, caller.org, scope)]);
  if (rowsOf(placed).length > 0) throw new Problem("source-cycle", "A credential of a store is in a scope that is in no store.");
  const rows = rowsOf<WinnerRow>(found);
  const [fault] = await verifyFound(needs.keyring, rows[0]?.links ?? "[]", winnersIn(rows));
  if (fault) throw fault.problem;
  const { secrets } = selectionOf(query, rows, []);
  if (secrets.some(({ encoding }) => encoding === "source"))
    throw new Problem("source-cycle", "A credential of a store is a secret with a value of its own, and has none from a store.");
  requireStoreHosts(needs, secrets, definition);
}

/**
 * Refuses to send credentials to a store, and to where it has its access from, unless all of these hosts are among their `hosts`.
 *
 * @throws {Problem} `host-not-allowed`, which says to the audit log which secrets.
 */
export function requireStoreHosts(
  rules: { readonly insecureOrigins: boolean },
  secrets: readonly { readonly name: string; readonly label: string; readonly hosts: string }[],
  definition: StoreDefinition,
): void {
  const refused = addressesOf(definition, rules).flatMap(({ hostname }) => {
    const elsewhere = secrets.filter(({ hosts }) => !(JSON.parse(hosts) as HostPattern[]).some((pattern) => hostMatches(pattern, hostname)));
    return elsewhere.length === 0 ? [] : [{ hostname, elsewhere }];
  });
  if (refused.length === 0) return;
  const hosts = [...new Set(refused.map(({ hostname }) => hostname))].join(" and ");
  throw new Problem("host-not-allowed", `A credential of the store is not for ${hosts}: whoever set it says where it may go, in its hosts.`, {
    about: [...new Set(refused.flatMap(({ elsewhere }) => elsewhere))].map(({ name, label }) => ({ scope: label, name })),
  });
}

function namesOf(refs: readonly CredentialRef[]): string[] {
  return [...new Set(refs.map(({ name }) => name))];
}
