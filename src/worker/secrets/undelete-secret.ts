import type { Caller } from "../access/caller.ts";
import { raiseRevisions } from "../store/scope-revisions.ts";
import { requireNoStore } from "../store/scope-store-rows.ts";
import { requireChanges, requireRevisions, updateSecrets } from "../store/secret-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { type QuotaNeeds, writeWithinQuota } from "../transaction/write-within-quota.ts";
import { findKept, secretNotFound } from "./find-secret.ts";
import { planUndeletion } from "./plan-undeletion.ts";
import { checkPrecondition, type Precondition } from "./precondition.ts";
import type { SecretSelector } from "./secret-selector.ts";
import { unlessTaken } from "./unless-taken.ts";
import type { Write } from "./write-secrets.ts";

/**
 * Brings a deleted secret back, with all its versions and its metadata, while it can come back. One that is there stays as it
 * is. It is refused where its name could not be set now, but never for what the
 * organization has, of which it was a part all the time; it is a write of the minute.
 *
 * @throws {Problem} `forbidden`, `secret-not-found`, `version-conflict`, `name-locked`, `env-name-conflict`, `write-conflict`,
 *   `storage-unavailable`.
 */
export async function undeleteSecret(
  needs: QuotaNeeds & { readonly platformOrg: string | null },
  caller: Caller,
  selector: SecretSelector,
  precondition: Precondition,
): Promise<Write> {
  caller.require("secrets:write", ...("id" in selector ? [] : [selector.scope, selector.name]));
  const { db, now } = needs;
  return retryWhenChanged(async () => {
    const found = await findKept(needs, caller, selector);
    if (!found || (found.deleted_until !== null && found.deleted_until <= now.getTime())) throw secretNotFound(selector);
    caller.require("secrets:write", found.scope, found.name);
    checkPrecondition(precondition, found);
    const { id, name, scope, version } = found;
    const named = { action: "secret.undelete", secrets: [{ id, name, scope, version }] } as const;
    const counted = (statements: readonly D1PreparedStatement[]) =>
      writeWithinQuota(needs, caller, { kept: [], made: 1 }, ({ before, after }) => writeForCaller(needs, caller, [before, ...statements, after], named));
    if (found.deleted_at === null) {
      await counted([requireRevisions(db, [found])]);
      return { row: found, outcome: "unchanged", value: undefined, sets: false, decides: false };
    }
    const write = await planUndeletion(await allowSealing(needs), found);
    const outside = found.encoding === "source" ? [requireNoStore(db, found.org, [found.scope])] : [];
    const statements = [...outside, ...raiseRevisions(db, [found], now.getTime()), updateSecrets(db, [write.row]), requireChanges(db, 1)];
    await unlessTaken(needs, caller, [write], (guards) => counted([...guards, ...statements]));
    return { ...write, outcome: "updated" };
  });
}
