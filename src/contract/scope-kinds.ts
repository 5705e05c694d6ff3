/** The kinds of scope, most specific first: the order in which a resolve searches them. */
export const SCOPE_KINDS = ["repo", "agent", "namespace", "team", "global"] as const;
export type ScopeKind = (typeof SCOPE_KINDS)[number];
