import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { selectVersions, type VersionRow } from "../store/version-rows.ts";
import { type Page, pageOf } from "../transaction/page-of.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { getSecret, type SecretRow } from "./get-secret.ts";

/** A version of a secret. */
interface Version extends VersionRow {
  readonly state: "current" | "previous" | "destroyed";
}

/**
 * Lists the versions of a secret, newest first, destroyed ones included. The next page begins below a version.
 *
 * @throws {Problem} `forbidden`, `secret-not-found`, `storage-unavailable`.
 */
export async function listVersions(needs: CallerNeeds, caller: Caller, id: string, limit: number, before: number | undefined): Promise<Page<Version, number>> {
  caller.require("secrets:read");
  return versionsOf(needs, caller, await getSecret(needs, caller, { id }), limit, before);
}

/** The same of a secret that the caller has read already. */
export async function versionsOf(
  needs: CallerNeeds,
  caller: Caller,
  secret: Pick<SecretRow, "id" | "version">,
  limit: number,
  before: number | undefined,
): Promise<Page<Version, number>> {
  const [result] = await readForCaller(needs, caller, [selectVersions(needs.db, secret.id, before, limit + 1)]);
  const versions = rowsOf<VersionRow>(result).map((row) => ({ ...row, state: stateOf(row, secret.version) }));
  return pageOf(versions, limit, ({ version }) => version);
}

function stateOf({ version, kind }: VersionRow, current: number): Version["state"] {
  if (kind === "destroyed") return "destroyed";
  return version === current ? "current" : "previous";
}
