/** The header that says which of the scopes asked for nobody has declared or used: a List of Strings (RFC 9651, section 3.1). */
export const EMPTY_SCOPES_HEADER = "Keyhole-Empty-Scopes";

/** The header's value; `undefined` where there are none. */
export function formatEmptyScopes(scopes: readonly string[]): string | undefined {
  return scopes.length === 0 ? undefined : scopes.map((scope) => `"${scope}"`).join(", ");
}

/** The scopes that the header lists. */
export function parseEmptyScopes(header: string | null): string[] {
  return [...(header ?? "").matchAll(/"([A-Za-z0-9._:/-]+)"/g)].map(([, scope = ""]) => scope);
}
