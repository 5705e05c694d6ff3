import { fromBase64url, toBase64url } from "../../contract/base64url.ts";
import type { Keyring } from "./keyring.ts";
import { KeyMissingError } from "./open.ts";

/** What a cell of a row can hold. */
type Cell = string | number | null;

/** A column that a seal covers. A later format may add some: a seal of before is good while they have their default. */
interface SealedColumn {
  readonly name: string;
  /** The first format that covers it. */
  readonly since: number;
  /** What a row has that was sealed before. */
  readonly default: Cell;
}

/** What seals of one table cover. */
export interface SealFormat {
  readonly table: string;
  /** The number of the present format. */
  readonly format: number;
  /** In the order in which they are covered. */
  readonly columns: readonly SealedColumn[];
}

/** A row does not carry the seal that it would have if this deployment had written it. */
class SealError extends Error {
  override readonly name = "SealError";
}

/** What the seal of a row comes to: it is that row's, it is not, or it is under a key that is not known here and nobody can tell. */
export type SealVerdict =
  | { readonly outcome: "good" }
  | { readonly outcome: "broken"; readonly error: SealError }
  | { readonly outcome: "unknown-key"; readonly error: KeyMissingError };

const FORM = /^s([1-9]\d{0,3}):([A-Za-z0-9._-]{1,64}):([A-Za-z0-9_-]{43})$/;

/**
 * Seals a row: `s<format>:<the key's fingerprint>:<mac>`, an HMAC-SHA-256 (RFC 2104) under a key of the keyring's current one over the
 * JSON array `["keyhole/row", format, table, [column, value], …]`, base64url without padding.
 */
export async function sealRow(keyring: Keyring, format: SealFormat, row: Readonly<Record<string, unknown>>): Promise<string> {
  const { current, keys } = keyring.seals;
  const key = keys.get(current);
  if (!key) throw new KeyMissingError(current);
  const mac = await crypto.subtle.sign("HMAC", key, covered(format, format.format, row));
  return `s${format.format}:${current}:${toBase64url(mac)}`;
}

/** Judges the seal of a row. */
export async function judgeSeal(keyring: Keyring, format: SealFormat, row: Readonly<Record<string, unknown>>, seal: string | null): Promise<SealVerdict> {
  const [, number = "", keyId = "", mac = ""] = FORM.exec(seal ?? "") ?? [];
  if (mac === "" || Number(number) > format.format || !coversAll(format, Number(number), row)) return broken("a row is not what was sealed");
  const key = keyring.seals.keys.get(keyId);
  if (!key) return { outcome: "unknown-key", error: new KeyMissingError(keyId) };
  if (!keyring.seals.counted.has(keyId)) return broken("a row was sealed under a key whose seals count no more");
  const bytes = decode(mac);
  const good = bytes && (await crypto.subtle.verify("HMAC", key, bytes, covered(format, Number(number), row)));
  return good ? { outcome: "good" } : broken("a row is not what was sealed");
}

function broken(message: string): SealVerdict {
  return { outcome: "broken", error: new SealError(message) };
}

/**
 * Whether a seal, which may be one of before and count no more, is of a row with this content; `undefined` when its key is
 * not in the keyring.
 */
export async function isSealOf(keyring: Keyring, format: SealFormat, row: Readonly<Record<string, unknown>>, seal: string): Promise<boolean | undefined> {
  const [, number = "", keyId = "", mac = ""] = FORM.exec(seal) ?? [];
  if (mac === "" || Number(number) > format.format || !coversAll(format, Number(number), row)) return false;
  const key = keyring.seals.keys.get(keyId);
  const bytes = decode(mac);
  return bytes ? key && crypto.subtle.verify("HMAC", key, bytes, covered(format, Number(number), row)) : false;
}

/** Whether a seal is of the present format, under the current key. */
export function isCurrentSeal(keyring: Keyring, { format }: SealFormat, seal: string): boolean {
  return seal.startsWith(`s${format}:${keyring.seals.current}:`);
}

/** What an older seal does not cover has to be as it was when there was no such column. */
function coversAll({ columns }: SealFormat, format: number, row: Readonly<Record<string, unknown>>): boolean {
  return columns.every(({ name, since, default: was }) => since <= format || row[name] === was);
}

function covered({ table, columns }: SealFormat, format: number, row: Readonly<Record<string, unknown>>): Uint8Array {
  const cells = columns.filter(({ since }) => since <= format).map(({ name }) => [name, row[name] ?? null]);
  return new TextEncoder().encode(JSON.stringify(["keyhole/row", format, table, ...cells]));
}

function decode(mac: string): Uint8Array | undefined {
  try {
    return fromBase64url(mac);
  } catch {
    // Not the one way to write these bytes.
    return undefined;
  }
}
