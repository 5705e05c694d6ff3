import type { Unavailable } from "./unavailable-reasons.ts";

/** The header that says which names are not in a reply whose form has no place for them: a List of Strings (RFC 9651, section 3.1). */
export const LEFT_OUT_HEADER = "Keyhole-Left-Out";

/** Why a name is left out: its variable is reserved, it has expired, it is nowhere, or its value cannot be had. */
export type LeftOutReason = "skipped" | "expired" | "missing" | Unavailable["reason"];

/** A name that is left out, and why. */
export interface LeftOut {
  readonly name: string;
  readonly reason: LeftOutReason;
}

/** How many names the header lists: more, and clients with a limit on headers would lose the reply. */
const MOST = 40;

/** The header's value; `undefined` where nothing is left out. Of many names the first are listed, and the last of those says how many `more` there are. */
export function formatLeftOut(names: readonly LeftOut[]): string | undefined {
  if (names.length === 0) return undefined;
  const listed = names.slice(0, MOST).map(({ name, reason }) => `"${name}";reason=${reason}`);
  const more = names.length > MOST ? `;more=${names.length - MOST}` : "";
  return `${listed.join(", ")}${more}`;
}

/** What the header lists, and how many more there are that it does not. */
export function parseLeftOut(header: string | null): { readonly names: LeftOut[]; readonly more: number } {
  const members = [...(header ?? "").matchAll(/"([A-Za-z0-9_.-]+)";reason=([a-z-]+)(?:;more=(\d{1,9}))?/g)];
  const names = members.map(([, name = "", reason = ""]) => ({ name, reason: reason as LeftOutReason }));
  return { names, more: Number(members.at(-1)?.[3] ?? 0) };
}
