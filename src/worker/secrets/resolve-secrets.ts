import type { Caller } from "../access/caller.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";
import { recordSelection } from "./record-selection.ts";
import { type ResolveRequest, resolutionQuery } from "./resolution-query.ts";
import type { RecordedSelection } from "./selection.ts";

/**
 * Selects the values that a caller resolves, of each name the one in the most specific scope, and puts that on record.
 * `releaseSecrets` gives the values; whoever holds them already needs none.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `secret-not-found`, `secret-expired`, `env-name-conflict`,
 *   `too-many-secrets`, `unauthenticated` when the token has been revoked, `storage-unavailable`.
 */
export async function resolveSecrets(
  needs: CallerNeeds & { readonly platformOrg: string | null; readonly now: Date },
  caller: Caller,
  request: ResolveRequest,
): Promise<RecordedSelection> {
  caller.require("secrets:resolve", request.scopes, request.names);
  return recordSelection(needs, caller, resolutionQuery(needs, caller, "secrets:resolve", request), { action: "secret.resolve" });
}
