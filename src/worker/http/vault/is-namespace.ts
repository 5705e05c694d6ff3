import type { Context } from "hono";
import type { HonoEnv } from "../hono-env.ts";
import type { VaultPath } from "./vault-path.ts";

/** Whether an organization is the one that a request names: in `X-Vault-Namespace`, before the mount, or nowhere. */
export function isNamespace(c: Context<HonoEnv>, org: string, { org: before }: VaultPath): boolean {
  const namespace = (c.req.header("X-Vault-Namespace") ?? "").replaceAll(/^\/|\/$/g, "");
  return (namespace === "" || namespace === org) && (before === null || before === org);
}
