import { Problem } from "../../contract/problem.ts";
import type { EntityTags, Precondition } from "../secrets/precondition.ts";

const TAGS = /(?:W\/)?"[\x21\x23-\x7e]*"/g;

/**
 * The conditions in `If-Match` and `If-None-Match` (RFC 9110, sections 13.1.1 and 13.1.2). `If-Match` compares
 * strongly: a weak tag is never equal. `If-None-Match` compares weakly.
 *
 * @throws {Problem} `invalid-request` when a header is not a list of entity tags.
 */
export function parsePrecondition(header: (name: string) => string | undefined): Precondition {
  return { ifMatch: parseEntityTags("If-Match", header("If-Match")), ifNoneMatch: parseEntityTags("If-None-Match", header("If-None-Match")) };
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
  if (tags.length === 0 || named.length !== tags.length || !named.every((element) => element.trim() === "tag")) {
    const detail = "a list of entity tags in double quotes, or *";
    throw new Problem("invalid-request", `${name} is ${detail}.`, { members: { errors: [{ pointer: `header:${name}`, detail }] } });
  }
  return tags;
}
