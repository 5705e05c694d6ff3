/**
 * For how long KV keeps an object that only a restore of D1 could still name, in milliseconds: as long as D1's own recovery
 * reaches back (D1 Time Travel, 30 days).
 */
export const KEPT_IN_KV = 30 * 86_400_000;
