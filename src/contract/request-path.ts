/** Why a path is refused. */
export type PathRefusal = "not-a-path" | "not-encoded" | "control-character" | "backslash" | "dot-segment" | "doubly-encoded";

/** A path as it arrived, with its segments decoded once. */
export interface RequestPath {
  readonly raw: string;
  readonly segments: readonly string[];
}

/** What stands in a path as it is (RFC 3986, section 3.3), and what the URL parser leaves as it is beside that. */
const AS_SENT = /^\/(?:[\w.~!$&'()*+,;=:@/[\]|-]|%[0-9A-Fa-f]{2})*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
/** An encoded separator or control character in what was decoded already. */
const ENCODED_AGAIN = /%(?:2f|5c|[01][0-9a-f]|7f)/i;

/**
 * Reads the path of a request, which is sent on as it arrived or not at all: a path that the URL parser would change, or
 * that two servers could take for different ones, is refused. `%2F` is a character of its segment.
 *
 * @param raw The path, encoded as it came, from its first `/` on, without the query.
 */
export function parseRequestPath(raw: string): RequestPath | PathRefusal {
  if (!raw.startsWith("/")) return "not-a-path";
  if (raw.includes("\\")) return "backslash";
  if (CONTROL.test(raw)) return "control-character";
  if (!AS_SENT.test(raw)) return "not-encoded";
  const segments: string[] = [];
  for (const part of raw.slice(1).split("/")) {
    const segment = decode(part);
    const refusal = segment === undefined ? "not-encoded" : judge(segment);
    if (segment === undefined || refusal) return refusal ?? "not-encoded";
    segments.push(segment);
  }
  return { raw, segments };
}

/** A part of a path decoded once; `undefined` where it is no UTF-8, which servers read as they like. */
function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function judge(segment: string): PathRefusal | undefined {
  if (CONTROL.test(segment)) return "control-character";
  if (segment.includes("\\")) return "backslash";
  // However often it was encoded: `%25252e` ends as a dot where each hop decodes once.
  const bare = segment.replace(/%(?:25)+/g, "%");
  if (ENCODED_AGAIN.test(bare)) return "doubly-encoded";
  // A server that takes `%2F` for a separator, or `;` for the beginning of a parameter, sees these as segments of their own.
  const parts = bare.replace(/%2e/gi, ".").split("/");
  return parts.some((part) => /^\.\.?(?:;|$)/.test(part)) ? "dot-segment" : undefined;
}
