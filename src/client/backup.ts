import { readReply } from "./read-reply.ts";
import { backupReply, comparedStores, finishedRestore, reconciledStores, restoredPage } from "./readers/backup.ts";
import type { Send } from "./send.ts";
import type { BackupCalls, BackupPage, BackupReply, ComparedStores, FinishedRestore, ReconciledStores, RestoredPage } from "./types/backup.ts";
import type { CallOptions } from "./types/calls.ts";

/** Backups of the whole deployment, for its operator. */
export function backupCalls(send: Send): BackupCalls {
  return {
    async take(after?: string, options: CallOptions = {}): Promise<BackupReply> {
      const json = after === undefined ? {} : { after };
      return readReply(await send({ method: "POST", path: "/v1/backup", json, repeatable: after !== undefined, ...options }), backupReply);
    },
    async restore(page: BackupPage, options: CallOptions = {}): Promise<RestoredPage> {
      return readReply(await send({ method: "POST", path: "/v1/backup/restore", json: page, repeatable: true, ...options }), restoredPage);
    },
    async finish(body: { keep_tokens?: boolean } = {}, options: CallOptions = {}): Promise<FinishedRestore> {
      return readReply(await send({ method: "POST", path: "/v1/backup/finish", json: body, repeatable: true, ...options }), finishedRestore);
    },
    async compare(query: { cursor?: string | undefined } = {}, options: CallOptions = {}): Promise<ComparedStores> {
      return readReply(await send({ method: "GET", path: "/v1/backup/reconcile", query, ...options }), comparedStores);
    },
    async reconcile(
      body: { cursor?: string | undefined; keys?: ComparedStores["rows"][number]["key"][]; remove_orphans?: boolean } = {},
      options: CallOptions = {},
    ): Promise<ReconciledStores> {
      return readReply(await send({ method: "POST", path: "/v1/backup/reconcile", json: body, ...options }), reconciledStores);
    },
  };
}
