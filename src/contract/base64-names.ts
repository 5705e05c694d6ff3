/** The header that says which variables of a reply are base64 of bytes: a List of Strings (RFC 9651, section 3.1). */
export const BASE64_HEADER = "Keyhole-Base64";

/** How many names the header lists: more, and clients with a limit on headers would lose the reply. */
const MOST = 40;

/** The header's value; `undefined` where all is text. Of many names the first are listed, and the last of those says how many `more` there are. */
export function formatBase64Names(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const more = names.length > MOST ? `;more=${names.length - MOST}` : "";
  return `${names
    .slice(0, MOST)
    .map((name) => `"${name}"`)
    .join(", ")}${more}`;
}

/** What the header lists, and how many more there are that it does not. */
export function parseBase64Names(header: string | null): { readonly names: string[]; readonly more: number } {
  const members = [...(header ?? "").matchAll(/"([A-Z0-9_]+)"(?:;more=(\d{1,9}))?/g)];
  return { names: members.map(([, name = ""]) => name), more: Number(members.at(-1)?.[2] ?? 0) };
}
