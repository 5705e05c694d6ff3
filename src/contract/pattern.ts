import * as z from "zod";
import { MAX_SCOPE_LENGTH } from "./grammar.ts";

/**
 * A limit of a grant: a literal, or a prefix followed by `*`, which matches any rest (also an empty one).
 * A `*` anywhere else is refused, so that nobody takes it for a wildcard.
 */
export const patternSchema = z
  .string()
  .min(1)
  .max(MAX_SCOPE_LENGTH + 1)
  .regex(/^[A-Za-z0-9_.:/-]*\*?$/, { error: "a pattern is a literal or a prefix followed by one '*'" })
  .brand<"Pattern">()
  .meta({ description: "A literal, or a prefix followed by `*`.", example: "repo:acme/*" });

export type Pattern = z.infer<typeof patternSchema>;

/** Whether `pattern` matches `text`. */
export function matches(pattern: Pattern, text: string): boolean {
  return pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

/** Whether one of `patterns` matches `text`; `null` means that there is no limit. */
export function matchesAny(patterns: readonly Pattern[] | null, text: string): boolean {
  return patterns === null || patterns.some((pattern) => matches(pattern, text));
}

/** Whether everything that `inner` matches is matched by `outer` too. */
export function contains(outer: Pattern, inner: Pattern): boolean {
  if (!outer.endsWith("*")) return outer === inner;
  const prefix = outer.slice(0, -1);
  return (inner.endsWith("*") ? inner.slice(0, -1) : inner).startsWith(prefix);
}
