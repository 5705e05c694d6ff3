import { type StoredValue, StoreError } from "./store-driver.ts";
import { bytesOf, bytesOfBase64, textOf } from "./value-bytes.ts";

/** An object as Vault keeps it. */
export type VaultData = Readonly<Record<string, unknown>>;

/**
 * The field in which the latest operations are, the newest first, each with the version that it has written. Whoever changes a field
 * there and keeps the others (`vault kv patch`) keeps these, in a version that none of them has written.
 */
const OPERATIONS = "keyhole_operations";
const WRITTEN = /^[0-9a-f-]{36} [1-9]\d{0,8}$/;
/** How many are kept in mind. */
const MOST = 8;

/**
 * A value as an object: text is `{"value": TEXT}`, other bytes are `{"value": BASE64, "encoding": "base64"}`.
 *
 * @param version The version that it becomes.
 * @param before The operations of the version that it follows.
 */
export function toVaultData(value: Uint8Array, operation: string, version: number, before: readonly string[]): VaultData {
  const text = textOf(value);
  const fields = text === undefined ? { value: value.toBase64(), encoding: "base64" } : { value: text };
  return { ...fields, [OPERATIONS]: [`${operation} ${version}`, ...before].slice(0, MOST) };
}

/** What an object stands for: the value that was made one, or else its own JSON. */
export function fromVaultData(data: VaultData): Pick<StoredValue, "value" | "fields"> {
  const { [OPERATIONS]: _, ...fields } = data;
  const { value, encoding, ...others } = fields;
  const isValue = typeof value === "string" && Object.keys(others).length === 0;
  if (isValue && !("encoding" in fields)) return { value: bytesOf(value), fields };
  if (!isValue || encoding !== "base64") return { value: bytesOf(JSON.stringify(fields)), fields };
  const bytes = bytesOfBase64(value);
  if (!bytes) throw new StoreError("reply");
  return { value: bytes, fields };
}

/** The version that an operation has written, as the operations that an object names say. */
export function versionWritten(operations: readonly string[], operation: string): string | undefined {
  return operations.map((text) => text.split(" ")).find(([id]) => id === operation)?.[1];
}

/** The operations that an object names. */
export function operationsOf(data: VaultData | null): readonly string[] {
  const operations = data?.[OPERATIONS];
  return Array.isArray(operations) ? operations.filter((operation) => typeof operation === "string" && WRITTEN.test(operation)) : [];
}
