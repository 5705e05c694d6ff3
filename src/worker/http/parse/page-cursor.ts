import type * as z from "zod";
import { fromBase64url, toBase64url } from "../../../contract/base64url.ts";
import { invalid } from "../../../contract/problem.ts";

/** A position in a list as an opaque cursor. */
function toCursor(position: unknown): string {
  return toBase64url(new TextEncoder().encode(JSON.stringify(position)));
}

/** The `next_cursor` of a page: where the next one begins, or `null` after the last one. */
export function nextCursor(next: unknown): string | null {
  return next === null ? null : toCursor(next);
}

/**
 * The position in a cursor of ours.
 *
 * @throws {Problem} `invalid-request` when it is not one.
 */
export function fromCursor<T>(schema: z.ZodType<T>, cursor: string | undefined): T | undefined {
  if (cursor === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(fromBase64url(cursor))));
  } catch {
    throw invalid("query:cursor", "not a cursor of this list");
  }
}
