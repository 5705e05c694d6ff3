import {
  type BackupPage,
  type BackupReply,
  backupReplySchema,
  type FinishedRestore,
  finishedRestoreSchema,
  type RestoredPage,
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
    /** Goes on finishing a restore of which all pages are there. */
    async finish(body: { keep_tokens?: boolean } = {}, options: CallOptions = {}): Promise<FinishedRestore> {
      return readReply(await send({ method: "POST", path: "/v1/backup/finish", json: body, repeatable: true, ...options }), finishedRestoreSchema);
    },
  };
}
