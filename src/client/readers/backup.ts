import type { BackupReply, ComparedStores, FinishedRestore, ReconciledStores, RefusedRow, RestoredPage, RowFault } from "../types/backup.ts";
import { count, flag, listOf, objectOf, oneOf, optional, orNull, type Reader, text, textOrNumber, time } from "./reader.ts";

const key = listOf(textOrNumber);

export const backupReply: Reader<BackupReply> = objectOf({ page: orNull(objectOf({ jws: text, rows: text })), number: count, last: flag });

const refused: Reader<RefusedRow> = objectOf({ table: text, key, reason: oneOf("seal", "value", "archive", "no-ciphertext") });
export const restoredPage: Reader<RestoredPage> = objectOf({ page: count, refused: listOf(refused), whole: flag });

export const finishedRestore: Reader<FinishedRestore> = objectOf({
  done: flag,
  logs: listOf(objectOf({ org: text, events: count, verified: flag, lost: orNull(objectOf({ first_seq: count, last_seq: count })) })),
});

const fault: Reader<RowFault> = objectOf({
  org: text,
  table: text,
  key,
  fault: oneOf("missing", "returned", "changed", "newer"),
  deleted_until: optional(time),
});
export const comparedStores: Reader<ComparedStores> = objectOf({
  rows: listOf(fault),
  values: listOf(refused),
  orphans: count,
  unknown: flag,
  next_cursor: orNull(text),
});
export const reconciledStores: Reader<ReconciledStores> = objectOf({ deleted: listOf(fault), skipped: listOf(fault), removed: count });
