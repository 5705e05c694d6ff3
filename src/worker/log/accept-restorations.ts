import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { GuardError } from "../store/run-batch.ts";
import { acceptLog } from "./accept-log.ts";
import { findRestorations, type RestorationNeeds } from "./find-restorations.ts";

/**
 * Accepts that logs are not as far as they were, because the database was restored: each goes on in a new generation,
 * which is signed, says what was lost, and has numbers after what is on record. That is an event in the log itself. So do
 * its organization's revocations; where some were lost, every token that it has so far is out of force.
 *
 * @param digest What stands for the restores that the operator has seen; with others nothing is accepted.
 * @returns the organizations whose logs go on. What is left of others is not as it was signed.
 * @throws {Problem} `forbidden`, `version-conflict` when there are other restores to accept, `storage-unavailable`.
 */
export async function acceptRestorations(needs: RestorationNeeds, caller: Caller, digest: string, org: string | undefined): Promise<string[]> {
  const found = await findRestorations(needs, caller, org);
  if (found.digest !== digest) throw new Problem("version-conflict", "These are not the restores that there are to accept now: look at them again.");
  const accepted: string[] = [];
  // The caller's own organization comes last: it may be that its token ends with it.
  for (const log of found.logs.toSorted((a, b) => Number(a.org === caller.org) - Number(b.org === caller.org))) {
    if (!log.left) continue;
    await acceptLog(needs, caller, log, log.left).catch(refuseChanged);
    accepted.push(log.org);
  }
  return accepted.sort();
}

function refuseChanged(error: unknown): never {
  throw error instanceof GuardError ? new Problem("version-conflict", "A log has changed meanwhile: look at the restores again.", { cause: error }) : error;
}
