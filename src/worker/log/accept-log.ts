import { sha256 } from "../../contract/audit-digest.ts";
import type { GenerationPayload } from "../../contract/audit-generation.ts";
import { formatTime } from "../../contract/time.ts";
import type { Caller } from "../access/caller.ts";
import { signPayload } from "../access/sign-payload.ts";
import { insertGeneration } from "../audit/generations.ts";
import { replaceHead } from "../audit/heads.ts";
import { insertEvent } from "../audit/insert-event.ts";
import { unmarkFailed } from "../audit/marks.ts";
import { requireChanges } from "../store/secret-rows.ts";
import { requireLatest } from "../transaction/last-revocation.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import { type LeftLog, lostOf, lostRevocations, nextGeneration, type RestorationNeeds, type RestoredLog } from "./find-restorations.ts";
import { goOnRevoking } from "./go-on-revoking.ts";
import { signHead } from "./log-head.ts";

/** What else the acceptance of a log does, in its transaction. */
interface Beside {
  /** Whether all tokens end, though no revocation is known to be lost. */
  readonly endTokens: boolean;
  readonly statements: readonly D1PreparedStatement[];
}

/**
 * Has a log go on that is not as far as it is on record to have been, in a new generation.
 *
 * @throws {GuardError} when it has changed meanwhile.
 * @throws {Problem} `unauthenticated`, `storage-unavailable`.
 */
export async function acceptLog(
  needs: RestorationNeeds,
  caller: Caller,
  log: RestoredLog,
  left: LeftLog,
  { endTokens, statements }: Beside = { endTokens: false, statements: [] },
): Promise<void> {
  const { db, keyring, logKeys, now } = needs;
  const { org, entry } = log;
  const generation = nextGeneration(log);
  const lost = lostOf(log);
  const revocations = lostRevocations(log);
  const goneOn = await goOnRevoking(needs, { org, ...left, recorded: entry.revocation ?? 0, endTokens: endTokens || revocations !== null });
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
    ...statements,
  ]);
  requireLatest(org, goneOn.last);
}
