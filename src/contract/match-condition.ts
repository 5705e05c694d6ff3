/**
 * Whether a claim is what a condition says: a text, number or boolean that matches its pattern, or a list one element of which does. A trailing `*`
 * matches any rest. A number that is read as others are, too, is none (RFC 8259, section 6): it could be somebody else's.
 */
export function matchesCondition(pattern: string, claim: unknown): boolean {
  return [claim].flat().some((value) => {
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return false;
    if (typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER) return false;
    const text = String(value);
    return pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
  });
}
