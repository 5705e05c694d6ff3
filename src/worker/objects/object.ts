import { jsonPointer } from "../../contract/json-pointer.ts";
import type { CustomMetadata } from "../../contract/object.ts";
import type { Pattern } from "../../contract/pattern.ts";
import { invalid, Problem } from "../../contract/problem.ts";
import { MAX_VALUE_BYTES } from "../../contract/secret.ts";
import type { SecretValue } from "../secrets/change.ts";
import type { NamingNeeds } from "../secrets/set-secret.ts";
import type { ScopeRevision } from "../store/scope-revisions.ts";

/** What a verb needs that writes an object. */
export type ObjectNeeds = NamingNeeds & { readonly reservedNames: readonly Pattern[]; readonly recoveryDays: number };

/** How a scope is as one object. Times are milliseconds since 1970. */
export interface ObjectState {
  /** Goes up by one with each write of the scope, by whatever wire; 0 where there never was one. */
  readonly revision: number;
  /** When it was written first, or something was said of it; `null` where neither was. */
  readonly createdAt: number | null;
  /** When it got its revision. */
  readonly revisedAt: number | null;
  /** When it was written last, or what is said of it. */
  readonly updatedAt: number | null;
  /** When all of it was deleted at once, where that is the last thing that was done; `null` otherwise. */
  readonly deletedAt: number | null;
  readonly customMetadata: CustomMetadata;
}

/** What a write of an object came to. */
export interface WrittenObject {
  readonly revision: number;
  /** When the object got that revision, in milliseconds since 1970. */
  readonly createdAt: number;
  readonly customMetadata: CustomMetadata;
  /** What people should know, in sentences. */
  readonly warnings: readonly string[];
}

/** A condition of a write. */
export interface CheckAndSet {
  /** The revision that the object has to have: 0 is one that was never written. */
  readonly cas?: number | undefined;
}

/** The state that a row says; without one the object was never written. */
export function objectState(row: ScopeRevision | null | undefined): ObjectState {
  if (!row) return { revision: 0, createdAt: null, revisedAt: null, updatedAt: null, deletedAt: null, customMetadata: {} };
  const { revision, created_at, revised_at, updated_at, emptied_revision, custom_metadata } = row;
  return {
    revision,
    createdAt: created_at,
    revisedAt: revised_at,
    updatedAt: updated_at,
    deletedAt: emptied_revision === revision ? revised_at : null,
    customMetadata: JSON.parse(custom_metadata) as CustomMetadata,
  };
}

/** The answer to a condition that the object does not meet. */
export function revisionConflict(cause?: unknown): Problem {
  return new Problem("version-conflict", "The object is not at the revision that the request names.", { cause });
}

/** @throws {Problem} `value-too-large`, naming the key, and no size: what was merged may be a part that the caller cannot read. */
export function requireValueFits(key: string, { bytes }: SecretValue): void {
  if (bytes.length > MAX_VALUE_BYTES) throw new Problem("value-too-large", `${JSON.stringify(key)} would have more than ${MAX_VALUE_BYTES} bytes.`);
}

/** The answer to a key that cannot be stored. */
export function badKey(key: string, reason: string): Problem {
  return invalid(jsonPointer([key]), `the key ${JSON.stringify(key.slice(0, 200))} ${reason}`);
}
