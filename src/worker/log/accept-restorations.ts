import { sha256 } from "../../contract/audit-digest.ts";
import type { GenerationPayload } from "../../contract/audit-generation.ts";
import { Problem } from "../../contract/problem.ts";
import { formatTime } from "../../contract/time.ts";
import type { Caller } from "../access/caller.ts";
import { signPayload } from "../access/sign-payload.ts";
import { insertGeneration } from "../audit/generations.ts";
import { replaceHead } from "../audit/heads.ts";
import { insertEvent } from "../audit/insert-event.ts";
import { unmarkFailed } from "../audit/marks.ts";
import { floorValue, insertRevocations } from "../store/revocation-rows.ts";
import { GuardError } from "../store/run-batch.ts";
import { requireChanges } from "../store/secret-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { requireLatest } from "../transaction/last-revocation.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import { sealFor, verifyRow } from "../transaction/verify-row.ts";
import { findRestorations, type LeftLog, lostOf, lostRevocations, nextGeneration, type RestorationNeeds, type RestoredLog } from "./find-restorations.ts";
import { signHead } from "./log-head.ts";

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
    await acceptOne(needs, caller, log, log.left).catch(refuseChanged);
    accepted.push(log.org);
  }
  return accepted.sort();
}

function refuseChanged(error: unknown): never {
  throw error instanceof GuardError ? new Problem("version-conflict", "A log has changed meanwhile: look at the restores again.", { cause: error }) : error;
}

async function acceptOne(needs: RestorationNeeds, caller: Caller, log: RestoredLog, left: LeftLog): Promise<void> {
  const { db, keyring, logKeys, now } = needs;
  const { org, entry } = log;
  const generation = nextGeneration(log);
  const lost = lostOf(log);
  const revocations = lostRevocations(log);
  const goneOn = await goOnRevoking(needs, log, left);
  const number = Math.max(entry.number, left.head.number);
  const payload: GenerationPayload = {
    ...{ org, generation, number },
    after: { number: left.head.number, checkpoint: left.head.checkpoint, last_seq: left.lastSeq },
    lost: { number: entry.number, checkpoint: entry.checkpoint, ...lost, ...(revocations && { revocations }) },
    ...{ at: formatTime(now.getTime()), by: caller.subject },
  };
  const jws = await signPayload(logKeys, "keyhole-generation", payload);
  const removed_to = Math.min(left.head.removed_to, left.lastSeq);
  const head = await signHead(logKeys, { ...left.head, number, checkpoint: await sha256(jws), removed_to, generation });
  const target = `generation:${generation}:lost:${lost.first_seq}:${lost.last_seq}${revocations ? `:revocations:${revocations.first}:${revocations.last}` : ""}`;
  const event = { action: "log.restored", outcome: "allowed", at: now } as const;
  await runForCaller({ db, keyring }, caller, [
    replaceHead(db, head, left.jws, now.getTime()),
    requireChanges(db, 1),
    ...goneOn.statements,
    insertGeneration(db, { org, generation, number, lost_seq: lost.last_seq, jws }),
    insertEvent(db, { ...event, actor: { ...caller, org }, target, after: lost.last_seq }, []),
    ...(org === caller.org ? [] : [insertEvent(db, { ...event, actor: caller, target: `${org}:${target}` }, [])]),
    ...(["registry", "seal", "retention"] as const).map((job) => unmarkFailed(db, job, [org])),
  ]);
  requireLatest(org, goneOn.last);
}

/**
 * How many numbers of revocations are left out at the least. Isolates may have seen some that were on record nowhere else,
 * and answer nothing until there is one that is later.
 */
const LEFT_OUT = 1_000_000;

/** The statements by which an organization's revocations go on after all that there can have been, and the last number. */
async function goOnRevoking(needs: RestorationNeeds, log: RestoredLog, { firstRevocation, lastRevocation }: LeftLog) {
  const { db, keyring, now } = await allowSealing(needs);
  const { org, entry } = log;
  const after = lastRevocation ? (await verifyRow(keyring, "revocations", lastRevocation)).n : 0;
  const n = Math.max(after, entry.revocation ?? 0) + LEFT_OUT;
  const floor = floorValue(firstRevocation ? { lowest: firstRevocation.n, after } : { lowest: n, after: null });
  const rows = [
    { org, n, kind: "floor", value: floor, at: now.getTime() } as const,
    // What was revoked cannot be told any more: so all that was given out is.
    ...(lostRevocations(log) ? [{ org, n: n + 1, kind: "before", value: String(Math.floor(now.getTime() / 1000)), at: now.getTime() } as const] : []),
  ];
  const sealed = await Promise.all(rows.map(async (row) => ({ ...row, seal: await sealFor(keyring, "revocations", row) })));
  return { statements: insertRevocations(db, org, after, sealed), last: n + rows.length - 1 };
}
