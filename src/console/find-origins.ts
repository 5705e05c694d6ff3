import type { Explanation } from "../client/create-client.ts";
import type { SessionBody } from "../contract/console.ts";
import { client } from "./client.ts";

/** How many names are asked about at once. */
const AT_ONCE = 6;

/** What a resolve would give for some scopes, name by name and without a value. */
export interface Origins {
  /** The scopes that it would search, in order. */
  readonly chain: readonly string[];
  readonly explanations: readonly Explanation[];
}

/** How far the search is. */
export interface Progress {
  readonly done: number;
  readonly of: number;
}

/**
 * Asks where every name that the scopes of a chain hold would come from. The service decides what wins; nothing of that is
 * worked out here. What only `builtin` holds cannot be listed: it is among them when it is one of `more`.
 *
 * @param more Names that are asked about too.
 */
export async function findOrigins(
  scopes: readonly string[],
  more: readonly string[],
  session: SessionBody,
  tell: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Origins> {
  const { candidates } = await client.explain(more[0] ?? anyName(session), { scopes, signal });
  const chain = candidates.map(({ scope }) => scope);
  const names = new Set(more);
  for (const scope of chain) {
    if (scope === "builtin") continue;
    for await (const { name } of client.secrets.listAll({ scope }, { signal })) names.add(name);
  }
  const sorted = [...names].sort();
  const explanations: Explanation[] = [];
  let next = 0;
  tell({ done: 0, of: sorted.length });
  const work = async () => {
    for (let at = next++; at < sorted.length; at = next++) {
      const name = sorted[at];
      if (name === undefined) return;
      explanations[at] = await client.explain(name, { scopes, signal });
      tell({ done: explanations.filter(Boolean).length, of: sorted.length });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { chain, explanations };
}

/** A name that the session may ask about, to learn the chain of scopes. */
function anyName({ secret_names }: SessionBody): string {
  return secret_names?.[0]?.replace(/\*$/, "") || "_";
}
