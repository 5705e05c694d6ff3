import { matchesAny } from "../../contract/pattern.ts";
import type { Permission } from "../../contract/permission.ts";
import type { Caller } from "./caller.ts";

/** A secret that is to be a credential of something. */
interface Credential {
  readonly scope: string;
  readonly name: string;
}

/**
 * Refuses whoever may not use secrets that something would use for others from then on, who need not be allowed to.
 *
 * @param what What would use them, for the refusal.
 * @throws {Problem} `forbidden`.
 */
export function requireCredentialsOf(caller: Caller, needed: Permission, what: "store" | "login", credentials: readonly Credential[]): void {
  const { secretScopes, secretNames, services, permissions } = caller;
  if (credentials.length > 0 && !permissions.has("secrets:resolve")) {
    caller.require("secrets:use");
    if (services !== null) throw caller.refuse("secrets:resolve", `The token's grant lets secrets be used by some services, and by no ${what}.`);
  }
  if (!credentials.every(({ scope, name }) => matchesAny(secretScopes, scope) && matchesAny(secretNames, name)))
    throw caller.refuse(needed, `The token's grant does not cover the secrets that have the ${what}'s credentials.`);
}
