import { INITIAL_METADATA } from "../../contract/secret-metadata.ts";
import type { Caller } from "../access/caller.ts";
import { type CurrentRow, secretRow } from "../store/secret-rows.ts";
import { sealAgain, type Verified } from "../transaction/verify-row.ts";
import type { ChangeOfValue } from "./change.ts";
import { broughtBy, NO_HOSTS, settleHosts } from "./settle-hosts.ts";
import type { SealingNeeds, Write } from "./write-secrets.ts";

/**
 * Plans to set a secret that was deleted: it is a new one, with the id and the next number of the old one, so that nothing
 * that was bound to a version is ever bound to another. Its metadata is only what is given. The earlier versions are
 * destroyed, unless they are asked back while they still can come back.
 */
export async function planRevival(
  { keyring, now }: Pick<SealingNeeds, "keyring" | "now">,
  caller: Caller,
  deleted: Verified<CurrentRow>,
  change: ChangeOfValue,
  undelete: boolean,
): Promise<Write> {
  const at = now.getTime();
  const row = {
    ...secretRow(deleted),
    ...INITIAL_METADATA,
    ...change.metadata,
    ...settleHosts(caller, { scope: deleted.scope, name: deleted.name, ...NO_HOSTS }, change.metadata?.hosts, broughtBy(change.value.encoding, true)),
    version: deleted.version + 1,
    revision: deleted.revision + 1,
    updated_at: at,
    updated_by: caller.subject,
    rotated_at: at,
    deleted_at: null,
    deleted_until: null,
    deleted_revision: null,
    encoding: change.value.encoding,
    kind: "sealed" as const,
  };
  const destroysEarlier = !(undelete && (deleted.deleted_until ?? 0) > at);
  return {
    row: { ...row, seal: await sealAgain(keyring, "secrets", deleted, row) },
    outcome: "created",
    value: change.value,
    sets: true,
    decides: true,
    destroysEarlier,
  };
}
