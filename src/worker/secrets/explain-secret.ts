import type { Explanation } from "../../contract/resolve.ts";
import type { Scope } from "../../contract/scope.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import { type Candidate, selectCandidates } from "../store/resolution.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { type QueryNeeds, resolutionQuery } from "./resolution-query.ts";
import { verifyFound } from "./verify-found.ts";

/**
 * Says where a name would come from: every scope that a resolve would search, in order, and what it holds.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `storage-unavailable`.
 */
export async function explainSecret(
  needs: CallerNeeds & QueryNeeds,
  caller: Caller,
  name: SecretName,
  scopes: readonly Scope[] | undefined,
): Promise<Explanation> {
  caller.require("secrets:read", scopes, name);
  const query = resolutionQuery(needs, caller, "secrets:read", { scopes, names: [name], allowMissing: true, inherit: true, asVariables: false });
  const [result] = await readForCaller(needs, caller, [selectCandidates(needs.db, query)]);
  const rows = rowsOf<Candidate>(result);
  const held = rows.filter((row) => row.id !== null);
  const [unverified] = await verifyFound(needs.keyring, rows[0]?.links ?? "[]", held);
  if (unverified) throw unverified.problem;
  return { name, ...explainWinner(rows), candidates: rows.filter(({ outside }) => !outside).map(explainCandidate) };
}

/** What a resolve would use: what the widest scope locks, or else what the nearest one holds. */
function explainWinner(rows: readonly Candidate[]): Pick<Explanation, "winner" | "locked_by"> {
  const held = rows.filter((row) => row.id !== null);
  const first = held.find(({ outside }) => !outside);
  const lock = held.findLast(({ locked }) => locked);
  if (!first) return { winner: null };
  if (lock?.outside) return { winner: null, locked_by: lock.label };
  const { label: scope, id, version } = lock ?? first;
  return { winner: { scope, id, version } };
}

function explainCandidate({ label: scope, expired, outside, ...held }: Candidate): Explanation["candidates"][number] {
  if (held.id === null) return { scope, found: false };
  return { scope, found: true, id: held.id, version: held.version, expired: expired === 1, ...(held.locked && { locked: true }) };
}
