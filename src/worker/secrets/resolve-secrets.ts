import type { Caller } from "../access/caller.ts";
import { listSkipped } from "./list-skipped.ts";
import { type RecordNeeds, recordSelection } from "./record-selection.ts";
import { type QueryNeeds, type ResolveRequest, resolutionQuery } from "./resolution-query.ts";
import type { RecordedSelection } from "./selection.ts";

/**
 * Selects the values that a caller resolves, of each name the one in the most specific scope, and puts that on record.
 * `releaseSecrets` gives the values; whoever holds them already needs none.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `secret-not-found`, `secret-expired`, `too-many-secrets`,
 *   `answer-too-large`, `unauthenticated` when the token has been revoked, `storage-unavailable`.
 * @throws {UnreleasedError} what {@link recordSelection} refuses once it is on record.
 */
export async function resolveSecrets(needs: RecordNeeds & QueryNeeds, caller: Caller, request: ResolveRequest): Promise<RecordedSelection> {
  caller.require("secrets:resolve", request.scopes, request.names);
  const selection = await recordSelection(needs, caller, resolutionQuery(needs, caller, "secrets:resolve", request), { action: "secret.resolve" });
  return listSkipped(selection, request, needs.reservedNames);
}
