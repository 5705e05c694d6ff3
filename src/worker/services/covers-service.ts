import { contains, matchesAny, type Pattern } from "../../contract/pattern.ts";
import { type ServiceDefinition, secretsOf } from "../../contract/service.ts";
import type { Caller } from "../access/caller.ts";

/** Whether a service of this name is within a caller's grant. */
export function coversService({ services }: Caller, name: string): boolean {
  return matchesAny(services, name);
}

/** Whether a caller could make a service: its name, every scope that it may search and every secret that it names are within the grant. */
export function couldMake(caller: Caller, name: string, definition: Pick<ServiceDefinition, "scopes" | "inject">): boolean {
  const { secretScopes, secretNames } = caller;
  return (
    coversService(caller, name) &&
    definition.scopes.every((scope) => secretScopes === null || secretScopes.some((pattern) => contains(pattern, scope as Pattern))) &&
    secretsOf(definition).every((secret) => matchesAny(secretNames, secret))
  );
}
