import { type Permission, parsePermissions } from "../contract/permission.ts";

/** What a token says of itself, which nobody has verified here; `undefined` for one that is no JWT. */
export function tokenClaims(token: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Whether a token says that it has a permission. One that is no JWT says nothing. */
export function claimsPermission(token: string | undefined, permission: Permission): boolean {
  const scope = token === undefined ? undefined : tokenClaims(token)?.scope;
  return typeof scope === "string" && parsePermissions(scope).has(permission);
}
