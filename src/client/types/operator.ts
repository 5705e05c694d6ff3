import type { Quota } from "../../contract/quota-names.ts";
import type { CallOptions } from "./calls.ts";

/** What is stored under one key of the keyring. */
export interface KeyUsage {
  id: string;
  /** Whether new versions go under it. */
  current: boolean;
  versions: number;
  archives: number;
  /** Rows whose seal is made with it. */
  seals: number;
  /** How many of these are tokens that are kept. */
  tokens: number;
  /** Whether it is in the keyring, and is the one that its versions are under. */
  available: boolean;
}

/** The keyring, of the whole deployment for its operator, else of the organization. */
export interface KeysReply {
  counted: "deployment" | "organization";
  keys: KeyUsage[];
}

/** How far re-wrapping has come. */
export interface RewrapReply {
  rewrapped: number;
  remaining: number;
}

/** The keyring. */
export interface KeyCalls {
  /**
   * What is under each key, and whether the whole deployment was counted.
   *
   * @example
   * const { counted, keys } = await client.keys.usage();
   */
  usage(options?: CallOptions): Promise<KeysReply>;
  /**
   * The keys, with what is under each.
   *
   * @example
   * const current = (await client.keys.list()).find((key) => key.current);
   */
  list(options?: CallOptions): Promise<KeyUsage[]>;
  /**
   * Re-wraps a batch under the current key now. Never retried; repeat it until none remain.
   *
   * @example
   * const { remaining } = await client.keys.rewrap();
   */
  rewrap(options?: CallOptions): Promise<RewrapReply>;
}

/** A row without a seal of its own. */
export interface UnsealedRow {
  table: string;
  org: string;
  /** What decides in the row, as it is stored now. */
  columns: Record<string, string | number | null>;
  /** Whether the row has a seal that is not its own. Otherwise it has none. */
  broken: boolean;
}

/** Rows without a seal of their own, and the digest that confirms exactly these. */
export interface UnsealedReply {
  rows: UnsealedRow[];
  digest: string;
  more: boolean;
}

/** What was sealed. */
export interface SealedReply {
  sealed: number;
  more: boolean;
}

/** Rows without a seal of their own. */
export interface SealCalls {
  /**
   * Some of them, and the digest that confirms these.
   *
   * @example
   * const { rows, digest } = await client.seals.list();
   */
  list(options?: CallOptions): Promise<UnsealedReply>;
  /**
   * Seals exactly those that the digest names. Never retried.
   *
   * @example
   * const { sealed } = await client.seals.confirm(digest);
   */
  confirm(digest: string, options?: CallOptions): Promise<SealedReply>;
}

/** Some quotas: those that are left out are as they would be anyway. */
export type SomeQuotas = { [Name in Quota]?: number | undefined };

/** What an organization may have, and what of that was set for it alone. */
export interface QuotasBody {
  org: string;
  own: SomeQuotas;
  quotas: Record<Quota, number>;
}

/** What an organization has, beside what it may have. */
export interface UsageBody {
  org: string;
  usage: Record<Quota, { used: number; limit: number }>;
  /** Versions that are not current: destroying them frees so many, and their bytes. */
  earlier_versions: number;
  /** Secrets that were deleted and can come back. */
  deleted_secrets: number;
}

/** What organizations may have: for the operator's own organization. */
export interface QuotaCalls {
  /**
   * What an organization may have, and what of that was set for it alone.
   *
   * @example
   * const { quotas } = await client.quotas.get("acme");
   */
  get(org: string, options?: CallOptions): Promise<QuotasBody>;
  /**
   * Sets all that differs from what every organization may have; `{}` takes that back.
   *
   * @example
   * await client.quotas.put("acme", { secrets: 50_000 });
   */
  put(org: string, own: SomeQuotas, options?: CallOptions): Promise<QuotasBody>;
}
