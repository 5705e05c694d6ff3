import type { ResolveReply } from "../../client/create-client.ts";

/** A secret that is looked for. */
export interface WantedSecret {
  readonly name: string;
  readonly scope: string;
  /** Its value, and of one that has several lines those that are nobody else's. */
  readonly texts: readonly Buffer[];
}

/** From how many bytes on a value is looked for: shorter ones are everywhere. */
export const SHORTEST = 8;
/** From how many on a line of a value is looked for by itself: one without white space is of a key, and hardly of anything else. */
const SHORTEST_LINE = 24;

/** What of an answer can be looked for, and the names of what is too short for that. */
export function wantedOf({ secrets }: ResolveReply): { readonly wanted: WantedSecret[]; readonly short: string[] } {
  const all = Object.entries(secrets).map(([name, { value, encoding, scope }]) => {
    return { name, scope, value: Buffer.from(value, encoding === "base64" ? "base64" : "utf8") };
  });
  const isShort = ({ value }: { value: Buffer }) => value.toString("latin1").trim().length < SHORTEST;
  return {
    wanted: all.filter((one) => !isShort(one)).map(({ name, scope, value }) => ({ name, scope, texts: [value, ...linesOf(value)] })),
    short: all.filter(isShort).map(({ name }) => name),
  };
}

/** Lines by which a key is known that was indented, or cut. */
function linesOf(value: Buffer): Buffer[] {
  const lines = value.toString("latin1").split(/\r?\n/);
  if (lines.length < 2) return [];
  return lines.flatMap((line) => {
    const text = line.trim();
    return text.length < SHORTEST_LINE || /\s|^-----/.test(text) ? [] : Buffer.from(text, "latin1");
  });
}
