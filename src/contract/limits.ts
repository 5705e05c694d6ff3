import type { ZodType } from "zod";
import { LIMITS, type LimitField, type LimitFields, type LimitName } from "./limit-fields.ts";
import type { Pattern } from "./pattern.ts";

export { LIMITS, type LimitField, type LimitFields, type LimitName };

/** The limits of a grant, as verbs have them. */
export type Limits = { readonly [N in LimitName]: readonly Pattern[] | null };
/** The names of all limits. */
export function limitNames(): LimitName[] {
  return Object.keys(LIMITS) as LimitName[];
}

/** No limit of any kind. */
export const UNLIMITED: Limits = eachLimit(() => null);

/** Something for each limit. */
function eachLimit<T>(make: (name: LimitName) => T): { readonly [N in LimitName]: T } {
  return Object.fromEntries(limitNames().map((name) => [name, make(name)])) as { readonly [N in LimitName]: T };
}

/** Something for each limit, by its field. */
export function eachLimitField<T>(make: (name: LimitName, limit: (typeof LIMITS)[LimitName]) => T): LimitFields<T> {
  return Object.fromEntries(limitNames().map((name) => [LIMITS[name].field, make(name, LIMITS[name])])) as LimitFields<T>;
}

/** A schema for each limit, as members of an object. */
export function limitShape<S extends ZodType>(schemaOf: (limit: (typeof LIMITS)[LimitName]) => S): { [F in LimitField]: S } {
  return eachLimitField((_, limit) => schemaOf(limit));
}

/** Limits from claims, a body, a form or columns that were parsed: one that is left out is none. */
export function limitsOf(fields: { readonly [F in LimitField]?: readonly Pattern[] | null | undefined }): Limits {
  return eachLimit((name) => fields[LIMITS[name].field] ?? null);
}

/** The limits, and no more, of what has more than them. */
export function limitsIn(grant: Limits): Limits {
  return eachLimit((name) => grant[name]);
}

/** Limits for claims: those that there are. */
export function limitClaims(limits: Limits): { [F in LimitField]?: readonly Pattern[] } {
  return Object.fromEntries(Object.entries(eachLimitField((name) => limits[name])).filter(([, patterns]) => patterns !== null));
}

/** Whether there is any limit. */
export function isLimited(limits: Limits): boolean {
  return limitNames().some((name) => limits[name] !== null);
}
