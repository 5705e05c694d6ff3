import type { HostPattern } from "../../contract/hosts.ts";
import { matchesAny } from "../../contract/pattern.ts";
import type { StoredEncoding } from "../../contract/secret.ts";
import { presetsAt } from "../../contract/service-presets.ts";
import type { Caller } from "../access/caller.ts";
import type { SecretRow } from "../store/secret-columns.ts";

/** What of a secret says where its value may go. */
export type HostColumns = Pick<SecretRow, "hosts" | "hosts_brought">;

/** Those of a secret of which nobody has said any. */
export const NO_HOSTS: HostColumns = { hosts: "[]", hosts_brought: 0 };

/** The value that a change of a secret has: another one, the one that is there, none, or another one that its caller does not bring: the place that has it. */
export type Brought = "another" | "the same" | "none" | "a place";

/** What a change brings. A place in a store is no value: whoever names it need not know what is there. */
export function broughtBy(encoding: StoredEncoding | undefined, isAnother: boolean): Brought {
  if (encoding === undefined) return "none";
  if (encoding === "source") return isAnother ? "a place" : "none";
  return isAnother ? "another" : "the same";
}

/**
 * What a change makes of a secret's hosts. Where a value may go is for whoever may read it to say, or for whoever brings it:
 * what the latter says does not hold for any other value. Whoever has it come from another place brings nothing, and without reading it
 * can send it nowhere but to what may be said by whoever may write. That it goes to the API of a preset may be said by whoever may write.
 *
 * @param given What the change says, as its column has it; `undefined` where it says nothing.
 * @throws {Problem} `forbidden` when a host is added by somebody who neither may read the value nor brings it.
 */
export function settleHosts(
  caller: Caller,
  { scope, name, ...found }: HostColumns & { readonly scope: string; readonly name: string },
  given: string | undefined,
  brought: Brought,
): HostColumns {
  const isOther = brought === "another" || brought === "a place";
  const drops = (isOther && found.hosts_brought) || (brought === "a place" && !mayRead(caller, scope, name));
  const kept = drops ? parse(found.hosts).filter(isOfPreset) : parse(found.hosts);
  if (given === undefined) return { hosts: JSON.stringify(kept), hosts_brought: isOther ? 0 : found.hosts_brought };
  const wanted = parse(given);
  const others = wanted.filter((host) => !isOfPreset(host));
  const added = others.filter((host) => !kept.some((wider) => includes(wider, host)));
  if (others.length === 0 || mayRead(caller, scope, name)) return { hosts: given, hosts_brought: 0 };
  if (added.length === 0) return { hosts: given, hosts_brought: isOther ? 0 : found.hosts_brought };
  if (brought === "none" || brought === "a place") caller.require("secrets:resolve", scope, name);
  return { hosts: given, hosts_brought: 1 };
}

function parse(hosts: string): HostPattern[] {
  return JSON.parse(hosts) as HostPattern[];
}

function isOfPreset(host: HostPattern): boolean {
  return presetsAt(host).length > 0;
}

/** Whether everything that one pattern of hosts matches is matched by another. */
function includes(wider: HostPattern, host: HostPattern): boolean {
  return wider === host || (wider.startsWith("*.") && host.replace(/^\*/, "").endsWith(wider.slice(1)) && host.length > wider.length - 1);
}

function mayRead({ permissions, secretScopes, secretNames }: Caller, scope: string, name: string): boolean {
  return permissions.has("secrets:resolve") && matchesAny(secretScopes, scope) && matchesAny(secretNames, name);
}
