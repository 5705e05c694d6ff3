import type { ScopeBody } from "../client/create-client.ts";

/** A scope with those that lie directly under it. */
export interface Branch {
  readonly scope: string;
  readonly parent: string | null;
  /** How many secrets it holds; `null` for one that is only named as a parent. */
  readonly secrets: number | null;
  readonly children: readonly Branch[];
}

/** The scopes as a tree: those without a parent at the top. A parent that is in no list is there too. */
export function buildTree(scopes: readonly Pick<ScopeBody, "scope" | "parent" | "secrets">[]): Branch[] {
  const known = new Map<string, { parent: string | null; secrets: number | null }>(scopes.map(({ scope, parent, secrets }) => [scope, { parent, secrets }]));
  for (const { parent } of scopes) if (parent !== null && !known.has(parent)) known.set(parent, { parent: null, secrets: null });
  const under = Map.groupBy(known, ([, { parent }]) => parent);
  const branches = (parent: string | null): Branch[] =>
    (under.get(parent) ?? [])
      .map(([scope, { secrets }]) => ({ scope, parent, secrets, children: branches(scope) }))
      .sort((a, b) => a.scope.localeCompare(b.scope));
  return branches(null);
}
