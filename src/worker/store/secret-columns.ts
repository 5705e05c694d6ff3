import type { StoredEncoding } from "../../contract/secret.ts";
import { METADATA_NAMES, type MetadataColumns, type MetadataName } from "../../contract/secret-metadata.ts";
import type { ValueKind } from "./version-columns.ts";

/** What stays as it was when the secret was made. Times are milliseconds since 1970. */
interface FixedColumns {
  readonly id: string;
  readonly org: string;
  readonly scope: string;
  readonly name: string;
  readonly created_at: number;
  readonly created_by: string;
}

/** What each change of a secret writes, beside its metadata. */
interface ChangingColumns {
  /** The number of the current value. */
  readonly version: number;
  /** Counts the changes: what a compare-and-set compares. */
  readonly revision: number;
  readonly updated_at: number;
  readonly updated_by: string;
  /** When the current value was set. */
  readonly rotated_at: number;
  /** When it was deleted; `null` where it is there. */
  readonly deleted_at: number | null;
  /** Until when it can come back. */
  readonly deleted_until: number | null;
  /** Whether hosts were brought with the current value, by somebody who may not read it. */
  readonly hosts_brought: 0 | 1;
  /** Over what decides in the row (`sealed-tables.ts`); `null` in a row from before there were seals. */
  readonly seal: string | null;
}

/** What scheduled work writes. */
interface ScheduledColumns {
  readonly last_resolved_at: number | null;
}

/** What the statement of a change computes. */
interface ComputedColumns {
  /** Which revision of its scope has deleted it; `null` where it is there, or that is not known. */
  readonly deleted_revision: number | null;
}

type StoredColumns = FixedColumns & ChangingColumns & ScheduledColumns & ComputedColumns & MetadataColumns;

/** A secret as D1 has it, with the encoding and the kind of its current version. */
export interface SecretRow extends StoredColumns {
  readonly encoding: StoredEncoding;
  readonly kind: ValueKind;
}

/** The columns of the table `secrets` beside the metadata, and when each is written. One that is left out does not compile. */
const WRITTEN = {
  id: "once",
  org: "once",
  scope: "once",
  name: "once",
  created_at: "once",
  created_by: "once",
  version: "with each change",
  revision: "with each change",
  updated_at: "with each change",
  updated_by: "with each change",
  rotated_at: "with each change",
  deleted_at: "with each change",
  deleted_until: "with each change",
  hosts_brought: "with each change",
  seal: "with each change",
  last_resolved_at: "by scheduled work",
  deleted_revision: "computed with each change",
} as const satisfies Record<keyof FixedColumns, "once"> &
  Record<keyof ChangingColumns, "with each change"> &
  Record<keyof ScheduledColumns, "by scheduled work"> &
  Record<keyof ComputedColumns, "computed with each change">;

type ColumnName = keyof typeof WRITTEN | MetadataName;

function columnsWritten(...when: readonly (typeof WRITTEN)[keyof typeof WRITTEN][]): ColumnName[] {
  return (Object.keys(WRITTEN) as (keyof typeof WRITTEN)[]).filter((column) => when.includes(WRITTEN[column]));
}

/** Every column of the table `secrets` that is not computed by D1. */
export const SECRET_COLUMNS: readonly ColumnName[] = [
  ...columnsWritten("once", "with each change", "by scheduled work", "computed with each change"),
  ...METADATA_NAMES,
];
/** The columns that a new secret is written with. */
export const INSERTED_SECRET_COLUMNS: readonly ColumnName[] = [...columnsWritten("once", "with each change"), ...METADATA_NAMES];
/** The columns that a change writes. */
export const CHANGED_SECRET_COLUMNS: readonly ColumnName[] = [...columnsWritten("with each change"), ...METADATA_NAMES];
