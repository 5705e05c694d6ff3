import { matchesAny } from "../../../contract/pattern.ts";
import type { Permission } from "../../../contract/permission.ts";
import { Problem } from "../../../contract/problem.ts";
import type { Caller } from "../../access/caller.ts";
import { scopeOf, secretOf } from "./vault-scope.ts";

/** What a permission is called here, by the operation that a path is about. */
const CAPABILITIES: ReadonlyMap<string, readonly (readonly [Permission, readonly string[]])[]> = new Map(
  Object.entries({
    data: [
      ["secrets:resolve", ["read"]],
      ["secrets:read", ["list"]],
      ["secrets:write", ["create", "update", "patch", "delete"]],
    ],
    metadata: [
      ["secrets:read", ["read", "list"]],
      ["secrets:write", ["create", "update", "patch", "delete"]],
    ],
    subkeys: [["secrets:read", ["read"]]],
    delete: [["secrets:write", ["create", "update"]]],
    undelete: [["secrets:write", ["create", "update"]]],
    destroy: [["secrets:write", ["create", "update"]]],
  }),
);
const READ_ONLY = new Set(["read", "list"]);
const DENIED = ["deny"];

/** What any token may do. */
const OWN: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    "auth/token/lookup": ["read", "update"],
    "auth/token/lookup-accessor": ["update"],
    "auth/token/lookup-self": ["read"],
    "auth/token/revoke-self": ["update"],
    "auth/token/create": ["update"],
    "sys/capabilities-self": ["update"],
    "sys/mounts": ["read"],
  }),
);

/** What a caller may do to a path, as Vault names it; `deny` for nothing, or where there is nothing. */
export function capabilitiesOf(caller: Caller, path: string): string[] {
  const segments = path.replaceAll(/^\/|\/$/g, "").split("/");
  const [mount = "", operation = "", ...rest] = segments[0] === caller.org ? segments.slice(1) : segments;
  const own = OWN.get([mount, operation, ...rest].join("/"));
  if (own) return [...own];
  const known = mount === "secret" || mount === "kv" || (mount === "env" && operation === "data") ? (CAPABILITIES.get(operation) ?? []) : [];
  if (rest.length === 0 || !isCovered(caller, mount, rest)) return DENIED;
  const held = known.flatMap(([permission, capabilities]) => (caller.permissions.has(permission) ? capabilities : []));
  const some = mount === "env" ? held.filter((capability) => READ_ONLY.has(capability)) : held;
  return some.length > 0 ? [...some] : DENIED;
}

function isCovered(caller: Caller, mount: string, rest: readonly string[]): boolean {
  try {
    if (mount !== "kv") return matchesAny(caller.secretScopes, scopeOf(rest));
    const { scope, name } = secretOf(rest);
    return matchesAny(caller.secretNames, name) && (scope === null || matchesAny(caller.secretScopes, scope));
  } catch (error) {
    // It is no path of a secret: nobody may do anything there.
    if (error instanceof Problem) return false;
    throw error;
  }
}
