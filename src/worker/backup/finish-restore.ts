import type { FinishedRestore } from "../../contract/backup.ts";
import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { insertEvent } from "../audit/insert-event.ts";
import { acceptLog } from "../log/accept-log.ts";
import { type AccusedLog, findAccused } from "../log/find-accused.ts";
import { lostOf, whatIsLeft } from "../log/find-restorations.ts";
import { goOnRevoking } from "../log/go-on-revoking.ts";
import { readRegistry } from "../log/read-registry.ts";
import { endRestore, noteDone, noteVerified, type RestoreRow, selectRestore } from "../store/restore-rows.ts";
import { type RevocationRow, selectFirstRevocations, selectLastRevocation } from "../store/revocation-rows.ts";
import { GuardError, rowsOf, runBatch } from "../store/run-batch.ts";
import { requireLatest } from "../transaction/last-revocation.ts";
import { readForRestorer, runForCaller } from "../transaction/run-for-caller.ts";
import { requireOperator } from "./require-operator.ts";
import type { BackupNeeds } from "./take-backup.ts";
import { verifyRestored } from "./verify-restored.ts";

/** How many organizations one call sees to. */
const ORGS = 10;

type FinishedLog = FinishedRestore["logs"][number];

/**
 * Finishes a restore of which all pages are here, or one of the database itself: of each organization the log is verified; where the registry says that it was
 * further, it goes on in a new generation; and every token that was issued before is out of force. The caller's own
 * organization comes last, and with it the deployment answers again. Without a restore nothing is done.
 *
 * @param keepTokens Whether tokens stay in force, unless revocations are known to be lost.
 * @throws {Problem} `forbidden`, `version-conflict` when not all pages are here, `storage-unavailable`.
 */
export async function finishRestore(needs: BackupNeeds, caller: Caller, keepTokens: boolean): Promise<FinishedRestore> {
  requireOperator(needs, caller, "backup:write");
  await readForRestorer(needs, caller, []);
  const restore = await readRestore(needs, caller);
  if (!restore) return { done: true, logs: [] };
  const ends = JSON.parse(restore.logs) as Record<string, [began: number, ended: number]>;
  const { accused, unrevoked } = await judgeLogs(needs);
  const logs: FinishedLog[] = [];
  let { done_to: doneTo, verified_to: from } = restore;
  for (const org of orgsAfter(doneTo, Object.keys(ends), caller.org)) {
    const { verified, next } = await verifyRestored(needs, org, from);
    if (next !== null) {
      await runForCaller(needs, caller, [noteVerified(needs.db, doneTo, next)]);
      return { done: false, logs };
    }
    const log = accused.get(org);
    const kept = keepTokens && !unrevoked.has(org);
    const lost = await finishLog(needs, caller, { org, log, keepTokens: kept, restore, doneTo }).catch(refuseOther);
    logs.push({ org, events: ends[org]?.[1] ?? 0, verified, lost });
    [doneTo, from] = [org, 0];
  }
  return { done: doneTo === caller.org, logs };
}

/** The restore that is to be finished; `undefined` for none: a call whose reply was lost may have finished it. */
async function readRestore(needs: BackupNeeds, caller: Caller): Promise<(RestoreRow & { readonly logs: string }) | undefined> {
  const [found] = await readForRestorer(needs, caller, [selectRestore(needs.db)]);
  const [restore] = rowsOf<RestoreRow>(found);
  if (!restore) return undefined;
  if (restore.logs === null) throw new Problem("version-conflict", "Not all pages of a backup are here.");
  return { ...restore, logs: restore.logs };
}

function refuseOther(error: unknown): never {
  throw error instanceof GuardError ? new Problem("version-conflict", "Another call has gone on with this meanwhile.", { cause: error }) : error;
}

/** The organizations that come next, the operator's own last: its token may end with it. */
function orgsAfter(doneTo: string, named: readonly string[], own: string): string[] {
  const orgs = [...named.filter((org) => org !== own).sort(), own];
  const begin = doneTo === "" ? 0 : orgs.indexOf(doneTo) + 1;
  return orgs.slice(begin, begin + ORGS);
}

/** By organization the logs that are not as far as they are on record to have been, and the organizations that lack revocations. */
async function judgeLogs(needs: BackupNeeds): Promise<{ readonly accused: ReadonlyMap<string, AccusedLog>; readonly unrevoked: ReadonlySet<string> }> {
  const { accused, unrevoked } = await findAccused(needs, await readRegistry(needs));
  return { accused: new Map(accused.toSorted((a, b) => a.entry.number - b.entry.number).map((log) => [log.org, log])), unrevoked: new Set(unrevoked) };
}

interface Finishing {
  readonly org: string;
  readonly log: AccusedLog | undefined;
  readonly keepTokens: boolean;
  readonly restore: RestoreRow;
  readonly doneTo: string;
}

/** Sees to one organization, in one transaction. Returns what its log has lost, as far as that is on record. */
async function finishLog(needs: BackupNeeds, caller: Caller, { org, log, keepTokens, restore, doneTo }: Finishing): Promise<FinishedLog["lost"]> {
  const { db, now } = needs;
  const event = { outcome: "allowed", at: now, target: restore.backup } as const;
  const last = org === caller.org;
  const statements = [
    insertEvent(db, { ...event, action: "log.restored", actor: { ...caller, org } }, []),
    ...(last ? [insertEvent(db, { ...event, action: "backup.restore", actor: caller }, []), ...endRestore(db, doneTo)] : noteDone(db, doneTo, org)),
  ];
  const found = log && (await whatIsLeft(needs, log));
  if (found?.left) {
    await acceptLog(needs, caller, found, found.left, { endTokens: !keepTokens, statements });
    return lostOf(found);
  }
  const goneOn = await revoking(needs, org, keepTokens && !found);
  await runForCaller(needs, caller, [...goneOn.statements, ...statements]);
  requireLatest(org, goneOn.last);
  return found ? lostOf(found) : null;
}

async function revoking(needs: BackupNeeds, org: string, keepTokens: boolean) {
  const [first, last] = await runBatch(needs.db, [selectFirstRevocations(needs.db, org, 1), selectLastRevocation(needs.db, org)]);
  const [firstRevocation] = rowsOf<RevocationRow>(first);
  const [lastRevocation] = rowsOf<RevocationRow>(last);
  return goOnRevoking(needs, { org, firstRevocation, lastRevocation, recorded: 0, endTokens: !keepTokens });
}
