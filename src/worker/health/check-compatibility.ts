/** A flag of the runtime that the Worker needs and that is off. */
export interface MissingFlag {
  readonly part: "compatibility_flags";
  readonly detail: string;
}

/**
 * Without it a fetch to a host of the Worker's own zone, which a tenant can name, goes to its origin past everything that
 * stands before it there. The runtime tells which flags it runs with
 * (https://developers.cloudflare.com/workers/configuration/compatibility-flags/).
 */
const NEEDED = "global_fetch_strictly_public";

/** Whether the Worker runs with the flags that it needs. */
export function checkCompatibility(): readonly MissingFlag[] {
  const { Cloudflare: runtime } = globalThis as { Cloudflare?: { compatibilityFlags?: Readonly<Record<string, boolean>> } };
  if (runtime?.compatibilityFlags?.[NEEDED]) return [];
  return [{ part: "compatibility_flags", detail: `${NEEDED} is not among the compatibility_flags that the Worker was deployed with` }];
}
