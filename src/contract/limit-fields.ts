/**
 * The limits of a grant: all of them, in one list that everything goes through which makes, contains, carries or shows a
 * grant. `field` is what a limit is called in claims, bodies, forms, props and columns. Each is a list of patterns, within
 * which the grant holds; `null`, or in claims and bodies nothing, means no limit.
 */
export const LIMITS = {
  secretScopes: { field: "secret_scopes", of: "scopes", example: ["repo:acme/payments"] },
  secretNames: { field: "secret_names", of: "names", example: ["OPENAI_*"] },
  services: { field: "services", of: "services", example: ["openai"] },
} as const;

export type LimitName = keyof typeof LIMITS;
export type LimitField = (typeof LIMITS)[LimitName]["field"];

/** Something for each limit, by its field. */
export type LimitFields<T> = { readonly [F in LimitField]: T };
