import * as z from "zod";
import { cursorSchema } from "./secret.ts";
import { timeSchema } from "./time.ts";

/** The version of pages that this code writes. */
export const BACKUP_VERSION = 1;
/** How long the rows of one page are together, about, in bytes of UTF-8; one row by itself may be longer. */
export const PAGE_SIZE = 1_000_000;
/** The longest page that is taken, in bytes: an archived part of an audit log is one row, whatever is in it. */
export const MAX_PAGE_BYTES = 16 * 1_048_576;

const keySchema = z.array(z.union([z.string(), z.number()]));

/** Where the next page begins: in a table after a row, or among the changes since the backup began. */
const positionSchema = z.union([z.strictObject({ table: z.string(), after: keySchema.nullable() }), z.strictObject({ changes: z.int().min(0) })]);
export type BackupPosition = z.infer<typeof positionSchema>;

/** What the last page says of the whole. */
const endSchema = z.strictObject({
  begun_at: timeSchema,
  /** Of each organization the number of its log's last event when the backup began (0 for none), and now, of all that is carried. */
  logs: z.record(z.string(), z.tuple([z.int(), z.int()])),
});

/**
 * What the signature of a page covers. Pages are a chain: each has the hash of the one before, so none can be left out, come twice,
 * or be of another backup. `rows` is the hash of the text of the rows.
 */
export const backupPayloadSchema = z.strictObject({
  version: z.literal(BACKUP_VERSION),
  backup: z.string(),
  page: z.int().min(1),
  previous: z.string().nullable(),
  at: timeSchema,
  table: z.string().nullable(),
  rows: z.string(),
  /** How many rows of each table all pages so far have. */
  counts: z.record(z.string(), z.int()),
  next: positionSchema.nullable(),
  end: endSchema.nullable(),
});
export type BackupPayload = z.infer<typeof backupPayloadSchema>;

const cellSchema = z.union([z.string(), z.number(), z.null()]);
const cellsSchema = z.record(z.string(), cellSchema);
/** A row of a table; of a change the row as it is now, `null` where it is gone. */
const carriedSchema = z.strictObject({ table: z.string(), key: keySchema, row: cellsSchema.nullable() });
export const rowsSchema = z.array(carriedSchema);
export type Carried = z.infer<typeof carriedSchema>;

/** A page, as it is one line of a file. */
export const backupPageSchema = z
  .strictObject({
    jws: z.string().min(1).meta({ description: "A compact JWS (RFC 7515) over the page, and the page before it." }),
    rows: z.string().meta({ description: "The rows, as JSON: metadata, wrapped keys and ciphertexts as they are stored." }),
  })
  .meta({ id: "BackupPage", example: { jws: "eyJhbGciOiJFZERTQSJ9.eyJwYWdlIjoxfQ.c2ln", rows: "[]" } });
export type BackupPage = z.infer<typeof backupPageSchema>;

/** `POST /v1/backup`. */
export const takeBackupSchema = z
  .strictObject({ after: z.string().min(1).max(1_000_000).optional().meta({ description: "The `jws` of the page before. Without it a backup begins." }) })
  .meta({ id: "TakeBackup", example: {} });

export const backupReplySchema = z
  .object({
    page: backupPageSchema.nullable().meta({ description: "The next page; `null` after the last one: the backup is over." }),
    number: z.int(),
    /** Whether it is the last one. */
    last: z.boolean(),
  })
  .meta({ id: "BackupReply", example: { page: { jws: "eyJhbGciOiJFZERTQSJ9.eyJwYWdlIjoxfQ.c2ln", rows: "[]" }, number: 1, last: false } });

const refusedSchema = z
  .object({
    table: z.string(),
    key: keySchema,
    reason: z.enum(["seal", "value", "archive", "no-ciphertext"]).meta({
      description:
        "`seal`: the row is not what was sealed. `value`: the ciphertext does not open. `archive`: a part of an audit log is not there, or does not open. `no-ciphertext`: it was lost before; the row is taken without it.",
    }),
  })
  .meta({ id: "RefusedRow", example: { table: "trusts", key: ["acme", "github"], reason: "seal" } });
export type RefusedRow = z.infer<typeof refusedSchema>;

export const restoredPageSchema = z
  .object({
    page: z.int().meta({ description: "Up to which page the backup has been restored." }),
    refused: z.array(refusedSchema).meta({ description: "Rows of this page that were not taken, also where it was here already." }),
    whole: z.boolean().meta({ description: "Whether that was the last page." }),
  })
  .meta({ id: "RestoredPage", example: { page: 7, refused: [], whole: false } });
export type RestoredPage = z.infer<typeof restoredPageSchema>;

/** `POST /v1/backup/finish`. */
export const finishRestoreSchema = z
  .strictObject({
    keep_tokens: z.boolean().default(false).meta({
      description: "Whether tokens that were issued before stay in force, but for those that are known to be revoked.",
    }),
  })
  .meta({ id: "FinishRestore", example: { keep_tokens: false } });

const finishedLogSchema = z.object({
  org: z.string(),
  events: z.int().meta({ description: "The number of the last event that the backup has." }),
  verified: z.boolean().meta({ description: "Whether the log is what was signed." }),
  lost: z
    .object({ first_seq: z.int(), last_seq: z.int() })
    .nullable()
    .meta({ description: "Sealed events that are on record outside the database and not in the backup." }),
});
export const finishedRestoreSchema = z
  .object({
    done: z.boolean().meta({ description: "Whether the deployment works again. If not, call once more." }),
    logs: z.array(finishedLogSchema).meta({ description: "The organizations that this call has seen to." }),
  })
  .meta({ id: "FinishedRestore", example: { done: true, logs: [{ org: "acme", events: 812, verified: true, lost: null }] } });
export type FinishedRestore = z.infer<typeof finishedRestoreSchema>;

/** What is compared, a page at a time: rows of a page of the inventory, of those after one; versions after one, objects in KV. */
export const comparedSchema = z.union([
  z.strictObject({
    rows: z.enum(["secrets", "scopes", "scope_stores", "trusts", "services", "stores", "webhooks", "tokens"]),
    page: z.string().max(64),
    after: keySchema.optional(),
  }),
  z.strictObject({ versions: keySchema.nullable() }),
  z.strictObject({ objects: z.string().max(1024).nullable() }),
]);
export type Compared = z.infer<typeof comparedSchema>;

/** `GET /v1/backup/reconcile`. */
export const compareStoresSchema = z.strictObject({ cursor: cursorSchema });

const faultSchema = z
  .object({
    org: z.string(),
    table: z.string(),
    key: keySchema,
    fault: z.enum(["missing", "returned", "changed", "newer"]).meta({
      description:
        "By the inventory outside the database: the row is gone, is there again after it was deleted, or is another one, and no event says why. `newer`: its own event says that it was made or changed after the database was set back, so it stays.",
    }),
    deleted_until: timeSchema
      .optional()
      .meta({ description: "There where a secret was deleted that could come back: until when. It is deleted until then, and not purged." }),
  })
  .meta({ id: "RowFault", example: { org: "acme", table: "trusts", key: ["acme", "github"], fault: "returned" } });
export type RowFault = z.infer<typeof faultSchema>;

export const comparedStoresSchema = z
  .object({
    rows: z.array(faultSchema),
    values: z.array(refusedSchema).meta({ description: "Versions without a ciphertext, or with one that does not open." }),
    orphans: z.int().meta({ description: "Objects in KV that no row names." }),
    unknown: z
      .boolean()
      .meta({ description: "Whether what should be there cannot be told: a page of the inventory is not there, cannot be opened, or is new." }),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: "ComparedStores", example: { rows: [], values: [], orphans: 0, unknown: false, next_cursor: null } });
export type ComparedStores = z.infer<typeof comparedStoresSchema>;

/** How many rows one call deletes again at the most: D1 has a limit of statements. */
export const MAX_RECONCILED = 100;

/** `POST /v1/backup/reconcile`. */
export const reconcileStoresSchema = z
  .strictObject({
    cursor: cursorSchema,
    keys: z.array(keySchema).max(MAX_RECONCILED).default([]).meta({ description: "The keys of rows that are there again, as the comparison has shown them." }),
    remove_orphans: z.boolean().default(false).meta({ description: "Whether objects in KV go that no row names." }),
  })
  .meta({ id: "ReconcileStores", example: { cursor: "eyJyb3dzIjoidHJ1c3RzIiwicGFnZSI6ImZpcnN0In0", keys: [["acme", "github"]], remove_orphans: false } });

export const reconciledStoresSchema = z
  .object({
    deleted: z.array(faultSchema).meta({ description: "Rows that were there again, and are deleted again." }),
    skipped: z.array(faultSchema).meta({ description: "Rows that are there again and were left, because their seal is not their own." }),
    removed: z.int().meta({ description: "Objects in KV that no row names, and that are to be removed." }),
  })
  .meta({ id: "ReconciledStores", example: { deleted: [], skipped: [], removed: 0 } });
export type ReconciledStores = z.infer<typeof reconciledStoresSchema>;
