import type { Explanation } from "../client/create-client.ts";

/** What becomes of what a scope holds under a name: it wins, has expired although it would win, is behind another one, or is barred by a lock. */
export type Fate = "wins" | "expired" | "shadowed" | "barred";

/** What a scope holds under a name, and what becomes of it. */
export interface Held {
  readonly scope: string;
  readonly id: string | undefined;
  readonly version: number | undefined;
  readonly locked: boolean;
  readonly fate: Fate;
}

/** What the scopes of a chain hold under one name. */
export function judgeOrigin({ winner, candidates, locked_by }: Explanation): Held[] {
  return candidates
    .filter(({ found }) => found)
    .map(({ scope, id, version, expired, locked }) => {
      const wins = winner?.scope === scope;
      const fate: Fate = locked_by !== undefined ? "barred" : !wins ? "shadowed" : expired ? "expired" : "wins";
      return { scope, id, version, locked: locked === true, fate };
    });
}
