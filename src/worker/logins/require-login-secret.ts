import type { LoginClient } from "../../contract/login.ts";
import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { oneScopeQuery, type QueryNeeds } from "../secrets/resolution-query.ts";
import { selectionOf, winnersIn } from "../secrets/selection.ts";
import { verifyFound } from "../secrets/verify-found.ts";
import { type ResolutionQuery, selectWinners, type WinnerRow } from "../store/resolution.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";

/** Which secret has the secret of a client. */
export type LoginSecretRef = NonNullable<LoginClient["client_secret"]>;

/** What looking for it needs. */
export type LookNeeds = CallerNeeds & Pick<QueryNeeds, "platformOrg" | "now">;

/**
 * The search for a client's secret: in the one scope that the login names, and in no other. Whoever logs in need not have a grant for it:
 * it is the login's maker who had, and what is locked above counts all the same.
 */
export function loginSecretQuery(needs: Pick<LookNeeds, "platformOrg" | "now">, caller: Caller, { scope, name }: LoginSecretRef): ResolutionQuery {
  return { ...oneScopeQuery(needs, caller, scope, [name], true), scope_limits: null };
}

/**
 * Refuses a login by which nobody could log in: its client's secret is not there, or may go nowhere. To which host it has to go is known only
 * once the provider is asked, when somebody logs in.
 *
 * @throws {Problem} `secret-not-found`, `secret-expired`, `name-locked`, `host-not-allowed`, `source-cycle`, `integrity-failed`,
 *   `storage-unavailable`.
 */
export async function requireLoginSecret(needs: LookNeeds, caller: Caller, ref: LoginSecretRef): Promise<void> {
  const query = loginSecretQuery(needs, caller, ref);
  const [found] = await readForCaller(needs, caller, [selectWinners(needs.db, query)]);
  const rows = rowsOf<WinnerRow>(found);
  const [fault] = await verifyFound(needs.keyring, rows[0]?.links ?? "[]", winnersIn(rows));
  if (fault) throw fault.problem;
  const { secrets } = selectionOf(query, rows, []);
  if (secrets.some(({ encoding }) => encoding === "source"))
    throw new Problem("source-cycle", "A credential of a login is a secret with a value of its own, and has none from a store.");
  if (secrets.every(({ hosts }) => hosts !== "[]")) return;
  const about = secrets.map(({ name, label }) => ({ scope: label, name }));
  throw new Problem("host-not-allowed", "The client's secret may go nowhere: its hosts have to name the host of the provider's token endpoint.", { about });
}
