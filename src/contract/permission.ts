import * as z from "zod";
import { PERMISSIONS, type Permission } from "./permissions.ts";

export { PERMISSIONS, type Permission };

export const permissionSchema = z.enum(PERMISSIONS).meta({ description: "What a token may do.", example: "secrets:resolve" });

const ALIASES: Record<string, Permission> = { "config_vars:resolve": "secrets:resolve" };

/** A permission as clients may write it: one of {@link PERMISSIONS} or an alias. */
export const permissionInputSchema = z
  .enum([...PERMISSIONS, "config_vars:resolve"])
  .transform((text): Permission => ALIASES[text] ?? (text as Permission))
  .meta({ description: "What a token may do; `config_vars:resolve` means `secrets:resolve`.", example: "secrets:resolve" });

/** The permissions that a token is to have, or to give, as a request names them. */
export const permissionsInputSchema = z
  .array(permissionInputSchema)
  .min(1)
  .max(16)
  .meta({ example: ["secrets:resolve"] });

/**
 * The permissions in a JWT's space-separated `scope` claim (RFC 8693, section 4.2). Words that are not
 * permissions of ours are left out: a token may carry scopes for other services.
 */
export function parsePermissions(scope: string): Set<Permission> {
  const known = new Set<string>(PERMISSIONS);
  const words = scope.split(" ").map((word) => ALIASES[word] ?? word);
  return new Set(words.filter((word): word is Permission => known.has(word)));
}
