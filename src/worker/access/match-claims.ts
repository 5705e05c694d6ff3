/** Whether every claim that `patterns` names is there, is a text, number or boolean, and matches its pattern. A trailing `*` matches any rest. */
export function matchClaims(patterns: Readonly<Record<string, string>>, claims: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(patterns).every(([name, pattern]) => {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return false;
    const text = String(value);
    return pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
  });
}
