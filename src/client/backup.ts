import {
  type BackupPage,
  type BackupReply,
  backupReplySchema,
  type ComparedStores,
  comparedStoresSchema,
  type FinishedRestore,
  finishedRestoreSchema,
  type ReconciledStores,
  type RestoredPage,
  reconciledStoresSchema,
  restoredPageSchema,
} from "../contract/backup.ts";
import { readReply } from "./read-reply.ts";
import type { CallOptions, Send } from "./send.ts";

/** Backups of the whole deployment, for its operator. */
export function backupCalls(send: Send) {
  return {
    /** The page after the one with this `jws`; without one a backup begins. Beginning is never retried. */
    async take(after?: string, options: CallOptions = {}): Promise<BackupReply> {
      const json = after === undefined ? {} : { after };
      return readReply(await send({ method: "POST", path: "/v1/backup", json, repeatable: after !== undefined, ...options }), backupReplySchema);
    },
    /** Puts a page into an empty deployment. */
    async restore(page: BackupPage, options: CallOptions = {}): Promise<RestoredPage> {
      return readReply(await send({ method: "POST", path: "/v1/backup/restore", json: page, repeatable: true, ...options }), restoredPageSchema);
    },
    /** Goes on finishing a restore of which all pages are there, or one of the database itself. */
    async finish(body: { keep_tokens?: boolean } = {}, options: CallOptions = {}): Promise<FinishedRestore> {
      return readReply(await send({ method: "POST", path: "/v1/backup/finish", json: body, repeatable: true, ...options }), finishedRestoreSchema);
    },
    /** Compares the database with what is outside it, a page at a time. */
    async compare(query: { cursor?: string | undefined } = {}, options: CallOptions = {}): Promise<ComparedStores> {
      return readReply(await send({ method: "GET", path: "/v1/backup/reconcile", query, ...options }), comparedStoresSchema);
    },
    /** Puts right what the page with this cursor has shown; from the first call on nothing else is answered, until the restore is finished. Never retried. */
    async reconcile(
      body: { cursor?: string | undefined; keys?: ComparedStores["rows"][number]["key"][]; remove_orphans?: boolean } = {},
      options: CallOptions = {},
    ): Promise<ReconciledStores> {
      return readReply(await send({ method: "POST", path: "/v1/backup/reconcile", json: body, ...options }), reconciledStoresSchema);
    },
  };
}
