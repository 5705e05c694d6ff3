import * as z from "zod";
import { NAME, whole } from "./grammar.ts";

/** What comes first in a path below `/v1/`: the routes of this contract, those that are still to come among them. */
export const NATIVE_NAMES = [
  ...(["secrets", "scopes", "versions", "import", "resolve", "explain", "tokens", "whoami", "revocations", "trusts", "usage"] as const),
  ...(["audit", "keys", "seals", "services", "stores", "webhooks", "use", "logins", "mcp", "quotas", "backup"] as const),
] as const;
/** What comes first in a path of Vault's wire. */
export const MOUNT_NAMES = ["secret", "kv", "env", "sys", "auth", "cubbyhole", "identity"] as const;

/** There an organization's name may stand, too: one of these would be taken for the other. */
const TAKEN: ReadonlySet<string> = new Set([...NATIVE_NAMES, ...MOUNT_NAMES]);

/** The name of an organization. */
export const orgSchema = z
  .string()
  .regex(whole(NAME), { error: "an organization is up to 64 letters, digits, '.', '_' or '-' and starts with a letter or digit" })
  .refine((name) => !TAKEN.has(name), { error: "that is a part of Keyhole's own addresses, and no organization" })
  .meta({ description: "An organization.", example: "acme" });
