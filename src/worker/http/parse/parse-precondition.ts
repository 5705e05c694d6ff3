import type { HonoRequest } from "hono";
import { invalid } from "../../../contract/problem.ts";
import type { Precondition, SecretState } from "../../secrets/precondition.ts";
import { parseSecretEtag } from "../native/secret-body.ts";

/** Entity tags as a conditional request lists them, or `*` for any. */
export type EntityTags = "*" | readonly string[];

const TAGS = /(?:W\/)?"[\x21\x23-\x7e]*"/g;

/**
 * The conditions of a conditional write, in `If-Match` and `If-None-Match` (RFC 9110, sections 13.1.1 and 13.1.2).
 * `If-Match` compares strongly: a weak tag is never equal. `If-None-Match` compares weakly.
 *
 * @throws {Problem} `invalid-request` when a header is not a list of entity tags.
 */
export function precondition(request: HonoRequest): Precondition {
  const ifMatch = parseEntityTags("If-Match", request.header("If-Match"));
  const ifNoneMatch = parseEntityTags("If-None-Match", request.header("If-None-Match"));
  return { required: ifMatch && statesOf(ifMatch), refused: ifNoneMatch && statesOf(withoutWeakness(ifNoneMatch)) };
}

/** The states that entity tags name. A tag that is none of ours names no state that a secret could be in. */
function statesOf(tags: EntityTags): SecretState[] {
  return tags === "*" ? ["present"] : tags.flatMap((tag) => parseSecretEtag(tag) ?? []);
}

/** Tags for a weak comparison (RFC 9110, section 8.8.3.2). */
function withoutWeakness(tags: EntityTags): EntityTags {
  return tags === "*" ? tags : tags.map((tag) => tag.replace(/^W\//, ""));
}

/** Whether a request says that it holds what has this entity tag. */
export function isHeld(held: EntityTags | undefined, etag: string): boolean {
  return held !== undefined && held !== "*" && withoutWeakness(held).includes(etag);
}

/**
 * The entity tags in a header, `*` for any, or `undefined` where there is no header.
 *
 * @throws {Problem} `invalid-request`.
 */
export function parseEntityTags(name: string, text: string | undefined): EntityTags | undefined {
  if (text === undefined) return undefined;
  if (text.trim() === "*") return "*";
  const tags = text.match(TAGS) ?? [];
  // Elements may be empty (RFC 9110, section 5.6.1.2).
  const elements = text.replace(TAGS, "tag").split(",");
  const named = elements.filter((element) => element.trim() !== "");
  if (tags.length === 0 || named.length !== tags.length || !named.every((element) => element.trim() === "tag"))
    throw invalid(`header:${name}`, "a list of entity tags in double quotes, or *");
  return tags;
}
