import type { CallOptions } from "./calls.ts";

/** A page of a backup, as it is one line of a file. */
export interface BackupPage {
  /** A compact JWS (RFC 7515) over the page, and the page before it. */
  jws: string;
  /** The rows, as JSON: metadata, wrapped keys and ciphertexts as they are stored. */
  rows: string;
}

/** The next page of a backup; `null` after the last one. */
export interface BackupReply {
  page: BackupPage | null;
  number: number;
  last: boolean;
}

/** What a row is found by. */
export type RowKey = (string | number)[];

/** A row that was not taken. */
export interface RefusedRow {
  table: string;
  key: RowKey;
  reason: "seal" | "value" | "archive" | "no-ciphertext";
}

/** How far a restore has come. */
export interface RestoredPage {
  page: number;
  refused: RefusedRow[];
  /** Whether that was the last page. */
  whole: boolean;
}

/** A log after a restore. */
export interface FinishedLog {
  org: string;
  events: number;
  /** Whether the log is what was signed. */
  verified: boolean;
  lost: { first_seq: number; last_seq: number } | null;
}

/** How far finishing a restore has come. */
export interface FinishedRestore {
  /** Whether the deployment works again. If not, call once more. */
  done: boolean;
  logs: FinishedLog[];
}

/** A row that is not what the inventory outside the database says. */
export interface RowFault {
  org: string;
  table: string;
  key: RowKey;
  fault: "missing" | "returned" | "changed" | "newer";
  deleted_until?: string | undefined;
}

/** The database beside what is outside it. */
export interface ComparedStores {
  rows: RowFault[];
  values: RefusedRow[];
  /** Objects in KV that no row names. */
  orphans: number;
  /** Whether what should be there cannot be told. */
  unknown: boolean;
  next_cursor: string | null;
}

/** What was put right. */
export interface ReconciledStores {
  deleted: RowFault[];
  skipped: RowFault[];
  removed: number;
}

/** Backups of the whole deployment, for its operator. */
export interface BackupCalls {
  /**
   * The page after the one with this `jws`; without one a backup begins. Beginning is never retried.
   *
   * @example
   * const { page, last } = await client.backup.take(previous?.jws);
   */
  take(after?: string, options?: CallOptions): Promise<BackupReply>;
  /**
   * Puts a page into an empty deployment.
   *
   * @example
   * const { refused, whole } = await client.backup.restore(page);
   */
  restore(page: BackupPage, options?: CallOptions): Promise<RestoredPage>;
  /**
   * Goes on finishing a restore of which all pages are there, or one of the database itself.
   *
   * @example
   * const { done } = await client.backup.finish({ keep_tokens: false });
   */
  finish(body?: { keep_tokens?: boolean }, options?: CallOptions): Promise<FinishedRestore>;
  /**
   * Compares the database with what is outside it, a page at a time.
   *
   * @example
   * const { rows, next_cursor } = await client.backup.compare();
   */
  compare(query?: { cursor?: string | undefined }, options?: CallOptions): Promise<ComparedStores>;
  /**
   * Puts right what the page with this cursor has shown; from the first call on nothing else is answered, until the restore is finished. Never retried.
   *
   * @example
   * const { deleted } = await client.backup.reconcile({ cursor, keys: rows.map(({ key }) => key) });
   */
  reconcile(body?: { cursor?: string | undefined; keys?: RowKey[]; remove_orphans?: boolean }, options?: CallOptions): Promise<ReconciledStores>;
}
