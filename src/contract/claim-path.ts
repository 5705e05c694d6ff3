/**
 * How a condition or a template addresses a claim, as a regular expression: the exact name of one at the top, whatever
 * dots and slashes are in it, or, with a `/` at the beginning, a JSON Pointer (RFC 6901) to what lies deeper.
 */
export const CLAIM = "(?:[A-Za-z_][A-Za-z0-9_.:/-]{0,127}|(?:/(?:[A-Za-z0-9_.:@-]|~[01]){1,128}){1,8})";

/** What a token says at an address; `undefined` where it says nothing. */
export function readClaim(claims: Readonly<Record<string, unknown>>, address: string): unknown {
  return namesOf(address).reduce<unknown>(memberOf, claims);
}

/** The names that lead to a claim, from the top. */
export function namesOf(address: string): string[] {
  if (!address.startsWith("/")) return [address];
  return address
    .slice(1)
    .split("/")
    .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  if (Array.isArray(value) && !/^(?:0|[1-9][0-9]*)$/.test(name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
