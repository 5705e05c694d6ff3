import type { Encoding } from "../../contract/secret.ts";
import type { SecretRow } from "../store/secret-rows.ts";

/** A value, decoded. */
export interface Value {
  readonly bytes: Uint8Array;
  readonly encoding: Encoding;
}

/** What a write changes. An absent field stays as it is; `null` clears it. */
export interface Change {
  readonly value?: Value | undefined;
  readonly description?: string | null | undefined;
  readonly labels?: Record<string, string> | undefined;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number | null | undefined;
  readonly rotateAfterDays?: number | null | undefined;
}

/** The columns that describe a secret. */
export type Description = Pick<SecretRow, "description" | "labels" | "expires_at" | "rotate_after_days">;

/** What describes a secret after a change. */
export function describe(change: Change, current: Description | undefined): Description {
  return {
    description: kept(change.description, current?.description),
    labels: change.labels ? canonicalJson(change.labels) : (current?.labels ?? "{}"),
    expires_at: kept(change.expiresAt, current?.expires_at),
    rotate_after_days: kept(change.rotateAfterDays, current?.rotate_after_days),
  };
}

/** Whether two descriptions say the same. */
export function isSameDescription(a: Description, b: Description): boolean {
  return a.description === b.description && a.labels === b.labels && a.expires_at === b.expires_at && a.rotate_after_days === b.rotate_after_days;
}

function kept<T>(given: T | null | undefined, current: T | null | undefined): T | null {
  return given === undefined ? (current ?? null) : given;
}

function canonicalJson(labels: Record<string, string>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))));
}
