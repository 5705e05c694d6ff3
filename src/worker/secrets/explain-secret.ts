import type { Explanation } from "../../contract/resolve.ts";
import type { Scope } from "../../contract/scope.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import { type Candidate, selectCandidates } from "../store/resolution.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { resolutionQuery } from "./resolution-query.ts";
import { verifyFound } from "./verify-found.ts";

/**
 * Says where a name would come from: every scope that a resolve would search, in order, and what it holds.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `storage-unavailable`.
 */
export async function explainSecret(
  needs: CallerNeeds & { readonly platformOrg: string | null; now: Date },
  caller: Caller,
  name: SecretName,
  scopes: readonly Scope[] | undefined,
): Promise<Explanation> {
  caller.require("secrets:read", scopes, name);
  const query = resolutionQuery(needs, caller, "secrets:read", { scopes, names: [name], allowMissing: true, inherit: true, distinctEnvNames: false });
  const [result] = await readForCaller(needs, caller, [selectCandidates(needs.db, query)]);
  const rows = rowsOf<Candidate>(result);
  const held = rows.filter((row) => row.id !== null);
  await verifyFound(needs.keyring, rows[0]?.links ?? "[]", held);
  const candidates = rows.map(explainCandidate);
  const first = candidates.find(({ found }) => found);
  const winner = first?.id !== undefined && first.version !== undefined ? { scope: first.scope, id: first.id, version: first.version } : null;
  return { name, winner, candidates };
}

function explainCandidate({ label: scope, expired, ...held }: Candidate): Explanation["candidates"][number] {
  return held.id === null ? { scope, found: false } : { scope, found: true, id: held.id, version: held.version, expired: expired === 1 };
}
