import { Problem } from "../../contract/problem.ts";
import type { SecretRow } from "../store/secret-rows.ts";
import { secretEtag } from "./secret-body.ts";

/** Entity tags as a conditional request lists them, or `*` for any. */
export type EntityTags = "*" | readonly string[];

/** The conditions of a conditional write, RFC 9110, section 13.1. */
export interface Precondition {
  readonly ifMatch?: EntityTags | undefined;
  readonly ifNoneMatch?: EntityTags | undefined;
}

/**
 * Refuses a write whose conditions the current row (or its absence) does not meet.
 *
 * @throws {Problem} `version-conflict`.
 */
export function checkPrecondition({ ifMatch, ifNoneMatch }: Precondition, current: Pick<SecretRow, "id" | "revision"> | undefined): void {
  if (ifMatch !== undefined && !listed(ifMatch, current))
    throw new Problem("version-conflict", "If-Match names another state of the secret than the current one.");
  if (ifNoneMatch !== undefined && listed(ifNoneMatch === "*" ? "*" : ifNoneMatch.map((tag) => tag.replace(/^W\//, "")), current))
    throw new Problem("version-conflict", "If-None-Match names the current state of the secret.");
}

function listed(tags: EntityTags, current: Pick<SecretRow, "id" | "revision"> | undefined): boolean {
  return current !== undefined && (tags === "*" || tags.includes(secretEtag(current)));
}
