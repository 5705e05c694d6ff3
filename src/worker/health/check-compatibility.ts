import { isStrictlyPublic, STRICTLY_PUBLIC } from "../outgoing/is-strictly-public.ts";

/** A flag of the runtime that the Worker needs and that is off. */
export interface MissingFlag {
  readonly part: "compatibility_flags";
  readonly detail: string;
}

/** Whether the Worker runs with the flags that it needs. */
export function checkCompatibility(): readonly MissingFlag[] {
  if (isStrictlyPublic()) return [];
  return [{ part: "compatibility_flags", detail: `${STRICTLY_PUBLIC} is not among the compatibility_flags that the Worker was deployed with` }];
}
