import {
  backupPageSchema,
  backupReplySchema,
  comparedSchema,
  comparedStoresSchema,
  compareStoresSchema,
  finishedRestoreSchema,
  finishRestoreSchema,
  reconciledStoresSchema,
  reconcileStoresSchema,
  restoredPageSchema,
  takeBackupSchema,
} from "../../../contract/backup.ts";
import { compareStores, rowFault } from "../../backup/compare-stores.ts";
import { finishRestore } from "../../backup/finish-restore.ts";
import { reconcileStores } from "../../backup/reconcile-stores.ts";
import { restorePage } from "../../backup/restore-page.ts";
import { takeBackup } from "../../backup/take-backup.ts";
import { json } from "../docs/responses.ts";
import { operation } from "../operation.ts";
import { jsonBody } from "../parse/body.ts";
import { fromCursor, nextCursor } from "../parse/page-cursor.ts";

const tag = "Backup";

/** The routes by which a deployment is backed up and restored. */
export const backupRoutes = [
  operation(
    {
      method: "post",
      path: "/v1/backup",
      id: "takeBackup",
      summary: "Take a backup, a page at a time",
      description:
        "For the operator's own organization: the rows of all organizations as they are stored, with ciphertexts that stay sealed; no value and no key of the keyring. Each page is signed and has the hash of the one before. After the tables come the rows that have changed meanwhile, until a page has them all. Send the `jws` of a page for the next one; that of the last page ends the backup. A backup is taken within a day.",
      tag,
      permission: "backup:read",
      action: "backup.read",
      body: jsonBody(takeBackupSchema),
      problems: ["version-conflict"],
      replies: { 200: json(backupReplySchema, "The next page.") },
    },
    async ({ c, needs, caller, body: { after } }) => {
      const taken = await takeBackup(needs, caller, after);
      if (!taken) return c.json({ page: null, number: 0, last: true });
      const { jws, rows, payload } = taken;
      return c.json({ page: { jws, rows }, number: payload.page, last: payload.end !== null });
    },
  ),
  operation(
    {
      method: "post",
      path: "/v1/backup/restore",
      id: "restorePage",
      summary: "Put a page of a backup into an empty deployment",
      description:
        "For the operator's own organization, with the keys that the backup was made with. The first page needs a deployment without anything; from then on nothing else is answered, until the restore is finished. Pages come in their order; one that is here already changes nothing, and its reply names once more what was left out. Rows whose seal is not their own, and values that do not open, are left out and named.",
      tag,
      permission: "backup:write",
      action: "backup.restore",
      body: jsonBody(backupPageSchema),
      problems: ["version-conflict"],
      replies: { 200: json(restoredPageSchema, "What was taken.") },
    },
    async ({ c, needs, caller, body }) => c.json(await restorePage(needs, caller, body)),
  ),
  operation(
    {
      method: "post",
      path: "/v1/backup/finish",
      id: "finishRestore",
      summary: "Finish a restore of which all pages are here",
      description:
        "For the operator's own organization. Logs are verified, go on after what is on record of them outside the database, and every token that was issued before is out of force, the caller's own with the last call. Call it until it is done.",
      tag,
      permission: "backup:write",
      action: "backup.restore",
      body: jsonBody(finishRestoreSchema),
      problems: ["version-conflict"],
      replies: { 200: json(finishedRestoreSchema, "How far it is.") },
    },
    async ({ c, needs, caller, body: { keep_tokens } }) => c.json(await finishRestore(needs, caller, keep_tokens)),
  ),
  operation(
    {
      method: "get",
      path: "/v1/backup/reconcile",
      id: "compareStores",
      summary: "Compare the database with what is outside it, a page at a time",
      description:
        "For the operator's own organization, after the database was set back to an earlier time: rows that are not what the inventory says, versions whose ciphertext is gone or does not open, and objects in KV that no row names. Every value is opened, and none is shown.",
      tag,
      permission: "backup:read",
      action: "backup.read",
      query: compareStoresSchema,
      replies: { 200: json(comparedStoresSchema, "What was found; go on while there is a `next_cursor`.") },
    },
    async ({ c, needs, caller, query: { cursor } }) => {
      const { rows, values, orphans, unknown, next } = await compareStores(needs, caller, fromCursor(comparedSchema, cursor));
      return c.json({ rows: rows.map(rowFault), values: [...values], orphans: orphans.length, unknown, next_cursor: nextCursor(next) });
    },
  ),
  operation(
    {
      method: "post",
      path: "/v1/backup/reconcile",
      id: "reconcileStores",
      summary: "Put right what a comparison has shown",
      description:
        "For the operator's own organization. The first call deletes nothing: from then on nothing else is answered until the restore has been finished, so compare after it. With the cursor of the page that showed them, and their keys, rows that were deleted and are there again are deleted again, unless they are newer than that; objects in KV that no row names are noted for removal.",
      tag,
      permission: "backup:write",
      action: "backup.restore",
      body: jsonBody(reconcileStoresSchema),
      problems: ["version-conflict"],
      replies: { 200: json(reconciledStoresSchema, "What was done.") },
    },
    async ({ c, needs, caller, body: { cursor, keys, remove_orphans } }) =>
      c.json(await reconcileStores(needs, caller, { at: fromCursor(comparedSchema, cursor), keys, removeOrphans: remove_orphans })),
  ),
];
