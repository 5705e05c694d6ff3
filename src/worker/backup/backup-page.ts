import { sha256 } from "../../contract/audit-digest.ts";
import { BACKUP_VERSION, type BackupPage, type BackupPayload, backupPayloadSchema, type Carried } from "../../contract/backup.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { signPayload, verifyPayload } from "../access/sign-payload.ts";

/** Makes the page that comes after one, signed. */
export async function signPage(
  keys: LogKeys,
  before: { readonly payload: BackupPayload; readonly jws: string } | null,
  page: Pick<BackupPayload, "backup" | "at" | "table" | "next" | "end">,
  carried: readonly Carried[],
): Promise<BackupPage & { readonly payload: BackupPayload }> {
  const rows = JSON.stringify(carried);
  const counts: Record<string, number> = { ...before?.payload.counts };
  for (const { table } of carried) counts[table] = (counts[table] ?? 0) + 1;
  const payload: BackupPayload = {
    version: BACKUP_VERSION,
    ...page,
    page: (before?.payload.page ?? 0) + 1,
    previous: before && (await sha256(before.jws)),
    rows: await sha256(rows),
    counts,
  };
  return { jws: await signPayload(keys, "keyhole-backup", payload), rows, payload };
}

/** What a page's signature covers; `undefined` when it is not this deployment's. */
export async function verifyPage(keys: LogKeys, jws: string): Promise<BackupPayload | undefined> {
  const signed = await verifyPayload(keys, "keyhole-backup", jws);
  return backupPayloadSchema.safeParse(signed?.vouched ? signed.payload : undefined).data;
}
