import { Problem } from "../../contract/problem.ts";
import type { ServiceDefinition } from "../../contract/service.ts";
import type { Caller } from "../access/caller.ts";
import { type Allowance, giveBackAllowance, takeAllowance } from "../take-allowance.ts";

/** By the keyring of a configuration: when that is read anew, all are counted from none. */
const rooms = new WeakMap<object, Map<string, Allowance>>();

/**
 * Takes one of the uses that a service gives each subject in a minute: so many at once after a rest, and as they come back after that. It
 * is counted in this isolate, so a subject whose requests arrive at several gets more.
 *
 * It is the subject's and not the token's alone, because whoever has a token can make narrower ones of it, without a permission.
 *
 * @returns Gives it back: what is refused for another reason is no use, and a token that is not in force takes none of its subject's.
 * @throws {Problem} `rate-limited`, with the seconds after which there is one again.
 */
export function takeUse(
  { keyring, now }: { readonly keyring: object; readonly now: Date },
  { org, subject, lineage }: Caller,
  service: string,
  { uses_per_minute: most }: Pick<ServiceDefinition, "uses_per_minute">,
): () => void {
  if (most === undefined) return () => undefined;
  const allowances = rooms.get(keyring) ?? new Map<string, Allowance>();
  rooms.set(keyring, allowances);
  const holder = JSON.stringify([org, service, lineage?.issuer ?? null, subject]);
  if (takeAllowance(allowances, holder, now.getTime(), { aSecond: most / 60, atOnce: most })) return () => giveBackAllowance(allowances, holder);
  throw new Problem("rate-limited", `The service gives each caller ${most} uses a minute; wait and try again.`, {
    headers: { "Retry-After": String(Math.ceil(60 / most)) },
  });
}
