/**
 * SQL for whether a pattern of a grant matches a text (or contains another pattern, whose `*` stands at its end too).
 * GLOB would say the same, but D1 refuses its patterns over 50 bytes, and a repo's path may be longer.
 */
export function matchesPattern(text: string, pattern: string): string {
  return `CASE WHEN substr(${pattern}, -1) = '*' THEN substr(${text}, 1, length(${pattern}) - 1) = substr(${pattern}, 1, length(${pattern}) - 1) ELSE ${text} = ${pattern} END`;
}
