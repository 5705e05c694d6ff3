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
import { GuardError } from "../store/run-batch.ts";
import { requireChanges } from "../store/secret-rows.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import { findRestorations, lostOf, nextGeneration, type RestorationNeeds, type RestoredLog } from "./find-restorations.ts";
import { signHead } from "./log-head.ts";

/**
 * Accepts that logs are not as far as they were, because the database was restored: each goes on in a new generation,
 * which is signed, says what was lost, and has numbers after what is on record. That is an event in the log itself.
 *
 * @param digest What stands for the restores that the operator has seen; with others nothing is accepted.
 * @returns the organizations whose logs go on. What is left of others is not as it was signed.
 * @throws {Problem} `forbidden`, `version-conflict` when there are other restores to accept, `storage-unavailable`.
 */
export async function acceptRestorations(needs: RestorationNeeds, caller: Caller, digest: string, org: string | undefined): Promise<string[]> {
  const found = await findRestorations(needs, caller, org);
  if (found.digest !== digest) throw new Problem("version-conflict", "These are not the restores that there are to accept now: look at them again.");
  const accepted: string[] = [];
  for (const log of found.logs) {
    if (!log.left) continue;
    await acceptOne(needs, caller, log, log.left).catch(refuseChanged);
    accepted.push(log.org);
  }
  return accepted;
}

function refuseChanged(error: unknown): never {
  throw error instanceof GuardError ? new Problem("version-conflict", "A log has changed meanwhile: look at the restores again.", { cause: error }) : error;
}

async function acceptOne(needs: RestorationNeeds, caller: Caller, log: RestoredLog, left: NonNullable<RestoredLog["left"]>): Promise<void> {
  const { db, keyring, logKeys, now } = needs;
  const { org, entry } = log;
  const generation = nextGeneration(log);
  const lost = lostOf(log);
  const number = Math.max(entry.number, left.head.number);
  const payload: GenerationPayload = {
    ...{ org, generation, number },
    after: { number: left.head.number, checkpoint: left.head.checkpoint, last_seq: left.lastSeq },
    lost: { number: entry.number, checkpoint: entry.checkpoint, ...lost },
    ...{ at: formatTime(now.getTime()), by: caller.subject },
  };
  const jws = await signPayload(logKeys, "keyhole-generation", payload);
  const removed_to = Math.min(left.head.removed_to, left.lastSeq);
  const head = await signHead(logKeys, { org, number, checkpoint: await sha256(jws), removed_to, generation });
  const target = `generation:${generation}:lost:${lost.first_seq}:${lost.last_seq}`;
  const event = { action: "log.restored", outcome: "allowed", at: now } as const;
  await runForCaller({ db, keyring }, caller, [
    replaceHead(db, head, left.jws, now.getTime()),
    requireChanges(db, 1),
    insertGeneration(db, { org, generation, number, lost_seq: lost.last_seq, jws }),
    insertEvent(db, { ...event, actor: { ...caller, org }, target, after: lost.last_seq }, []),
    ...(org === caller.org ? [] : [insertEvent(db, { ...event, actor: caller, target: `${org}:${target}` }, [])]),
    ...(["registry", "seal", "retention"] as const).map((job) => unmarkFailed(db, job, [org])),
  ]);
}
