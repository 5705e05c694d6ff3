import type { StoredEncoding } from "../../contract/secret.ts";

/** What says that a version was: it stays when the version is destroyed. Times are milliseconds since 1970. */
export interface VersionIdentity {
  readonly secret_id: string;
  /** That of the secret: whose turn it is when scheduled work comes to it. */
  readonly org: string;
  readonly version: number;
  readonly encoding: StoredEncoding;
  readonly created_at: number;
  readonly created_by: string;
}

/** SQL for the {@link VersionIdentity.encoding} of the table `v`: the column of that name knows `utf8` and `base64` alone. */
export const SELECTED_ENCODING = "CASE WHEN v.is_source THEN 'source' WHEN v.is_json THEN 'json' ELSE v.encoding END AS encoding";

/** What a write of a version computes of it: the columns by which D1 has its encoding, and which revision of the scope it is of. */
interface WrittenColumns {
  readonly is_json: 0 | 1;
  readonly is_source: 0 | 1;
  readonly scope_revision: number;
}

/** What every value has, of whatever kind. */
interface AnyValueColumns {
  /** In bytes; `null` where it is not known before the value is read. */
  readonly size: number | null;
}

/** A sealed value: where its ciphertext is, and the key that opens it. */
export interface SealedColumns extends AnyValueColumns {
  readonly key_id: string;
  readonly wrapped_key: string;
  /** The inline copy, or `null` once it is in KV for good. */
  readonly ciphertext: string | null;
  readonly kv_key: string;
}

/** A value that is still as another store had it. */
interface PlaintextColumns extends AnyValueColumns {
  readonly legacy_plaintext: string;
}

/** What scheduled work notes. */
interface ScheduledColumns {
  readonly kv_put_at: number | null;
  readonly retry_at: number | null;
}

/** A sealed value as D1 has it. */
type SealedValue = SealedColumns & { readonly kind: "sealed" };
/** A plaintext value as D1 has it. */
type PlaintextValue = PlaintextColumns & { readonly kind: "plaintext" };
/** A value as D1 has it. Its `kind` says which columns it is in; D1 computes it. */
export type StoredValue = SealedValue | PlaintextValue;
/** The kinds of values. A version without one is of the kind `destroyed`. */
export type ValueKind = StoredValue["kind"];

type ValueColumn<Value extends StoredValue = StoredValue> = Value extends unknown ? Exclude<keyof Value, "kind"> : never;

/**
 * The columns of the table `versions`, and what each is part of. One that is left out does not compile: forgotten where
 * versions are destroyed, it would keep what is to be gone.
 */
const PARTS = {
  secret_id: "identity",
  org: "identity",
  version: "identity",
  encoding: "identity",
  is_json: "written",
  is_source: "written",
  scope_revision: "written",
  created_at: "identity",
  created_by: "identity",
  key_id: "value",
  wrapped_key: "value",
  ciphertext: "value",
  kv_key: "value",
  size: "value",
  legacy_plaintext: "value",
  kv_put_at: "scheduled work",
  retry_at: "scheduled work",
} as const satisfies Record<keyof VersionIdentity, "identity"> &
  Record<keyof WrittenColumns, "written"> &
  Record<ValueColumn, "value"> &
  Record<keyof ScheduledColumns, "scheduled work">;

function columnsOf(...parts: readonly (typeof PARTS)[keyof typeof PARTS][]): (keyof typeof PARTS)[] {
  return (Object.keys(PARTS) as (keyof typeof PARTS)[]).filter((column) => parts.includes(PARTS[column]));
}

/** Every column of the table `versions` that D1 does not compute. */
export const VERSION_COLUMNS = columnsOf("identity", "written", "value", "scheduled work");
/** The columns that a new version is written with. */
export const INSERTED_VERSION_COLUMNS = columnsOf("identity", "written", "value");
/** The columns of a value of any kind. */
export const VALUE_COLUMNS = columnsOf("value");
/** The columns that are cleared when a version is destroyed. */
export const CLEARED_VERSION_COLUMNS = columnsOf("value", "scheduled work");

/** SQL for what is selected of a {@link StoredValue} in the table `v`. */
export const SELECTED_VALUE = ["kind", ...VALUE_COLUMNS].map((column) => `v.${column}`).join(", ");
