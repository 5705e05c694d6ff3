import { Problem } from "../../contract/problem.ts";
import { type Allowance, giveBackAllowance, takeAllowance } from "../take-allowance.ts";
import type { FindNeeds, Login } from "./find-login.ts";

/** By the keyring of a configuration: when that is read anew, all are counted from none. */
const rooms = new WeakMap<object, Map<string, Allowance>>();

/** How often an isolate asks the provider of one login in vain. */
const ALLOWED = { aSecond: 2, atOnce: 60 };

/**
 * Takes one of the turns that a login has at its provider. Who it is for is not known yet, and each that the client's secret goes with is an event
 * of the organization: from however many addresses strangers come, they leave it the events of its own calls.
 *
 * @returns Gives it back: whoever is let in is no stranger.
 * @throws {Problem} `rate-limited`.
 */
export function takeTurn({ keyring, now }: Pick<FindNeeds, "keyring"> & { readonly now: Date }, { row: { org, name } }: Login): () => void {
  const allowances = rooms.get(keyring) ?? new Map<string, Allowance>();
  rooms.set(keyring, allowances);
  const holder = JSON.stringify([org, name]);
  if (takeAllowance(allowances, holder, now.getTime(), ALLOWED)) return () => giveBackAllowance(allowances, holder);
  throw new Problem("rate-limited", "Too many logins come to nothing just now; wait and try again.", { headers: { "Retry-After": "1" } });
}
