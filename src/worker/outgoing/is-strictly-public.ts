/**
 * Without it a fetch to a host of the Worker's own zone, which a tenant can name, goes to its origin past everything that
 * stands before it there. The runtime tells which flags it runs with
 * (https://developers.cloudflare.com/workers/configuration/compatibility-flags/).
 */
export const STRICTLY_PUBLIC = "global_fetch_strictly_public";

/** Whether the runtime says that every fetch goes by the public network. */
export function isStrictlyPublic(): boolean {
  const { Cloudflare: runtime } = globalThis as { Cloudflare?: { compatibilityFlags?: Readonly<Record<string, boolean>> } };
  return runtime?.compatibilityFlags?.[STRICTLY_PUBLIC] === true;
}
