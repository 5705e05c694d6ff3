import type { Explanation } from "../../contract/resolve.ts";
import type { Scope } from "../../contract/scope.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import { type Candidate, selectCandidates } from "../store/resolution.ts";
import { rowsOf } from "../store/run-batch.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import { resolutionQuery } from "./resolution-query.ts";

/**
 * Says where a name would come from: every scope that a resolve would search, in order, and what it holds.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `storage-unavailable`.
 */
export async function explainSecret(
  needs: { db: D1Database; platformOrg: string | null; now: Date },
  caller: Caller,
  name: SecretName,
  scopes: readonly Scope[] | undefined,
): Promise<Explanation> {
  caller.require("secrets:read", scopes, name);
  const query = resolutionQuery(needs, caller, "secrets:read", { scopes, names: [name], allowMissing: true, inherit: true, distinctEnvNames: false });
  const [result] = await runForCaller(needs.db, caller, [selectCandidates(needs.db, query)]);
  const candidates = rowsOf<Candidate>(result).map(explainCandidate);
  const first = candidates.find(({ found }) => found);
  const winner = first?.id !== undefined && first.version !== undefined ? { scope: first.scope, id: first.id, version: first.version } : null;
  return { name, winner, candidates };
}

function explainCandidate({ label: scope, id, version, expired }: Candidate): Explanation["candidates"][number] {
  return id === null || version === null ? { scope, found: false } : { scope, found: true, id, version, expired: expired === 1 };
}
