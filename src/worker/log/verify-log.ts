import type { Checkpoint, HeadPayload, VerifyReply } from "../../contract/audit.ts";
import { BEGINNING, endsAt, firstBadEvent, follow, type Standing } from "../../contract/check-chain.ts";
import type { Caller } from "../access/caller.ts";
import { readStatement } from "../access/sign-statement.ts";
import type { SigningKeys } from "../access/signing-keys.ts";
import { type CheckpointRow, type LogExtent, selectCheckpoints, selectExtent } from "../audit/checkpoints.ts";
import { type EventRow, selectStretch } from "../audit/read-events.ts";
import { rowsOf } from "../store/run-batch.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import { checkpointBody, eventBody } from "./event-body.ts";
import { readHead } from "./log-head.ts";

/** How many checkpoints one call checks; each takes one read of its events. */
const CHECKPOINTS = 200;
const AT_ONCE = 20;

type Needs = { readonly db: D1Database; readonly signingKeys: SigningKeys };

/** What a verification comes to. `next` is the checkpoint to go on after, `null` at the end of the log. */
export type Verification = Omit<VerifyReply, "next_cursor"> & { readonly next: number | null };

/** What there is of a log, and what its head says. It is read with what is judged by it: the scheduled run may be at work. */
interface Log {
  readonly first: number | null;
  readonly last: number;
  readonly head: HeadPayload | undefined;
}

/**
 * Recomputes the sealed part of the organization's log against its checkpoints.
 *
 * @param after The checkpoint to begin after; 0 for the beginning.
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function verifyLog(needs: Needs, caller: Caller, after: number): Promise<Verification> {
  caller.require("audit:read");
  let standing = await standingAfter(needs, caller, after);
  let checked = 0;
  for (let n = 0; n < CHECKPOINTS; n += AT_ONCE) {
    const { rows, log } = await readPage(needs, caller, standing.previous?.number ?? 0);
    const result = (firstBad: number | null, next: number | null = null): Verification => {
      const unsealed = Math.max(0, log.last - (standing.previous?.last_seq ?? 0));
      return { ok: firstBad === null, checked, unsealed, first_bad: firstBad, next };
    };
    const added = log.first !== null && log.first <= (log.head?.removed_to ?? 0) ? log.first : null;
    if (added !== null) return result(added);
    for (const row of rows) {
      const checkpoint = checkpointBody(row);
      const followed = await follow(caller.org, standing, checkpoint, await readStatement(needs.signingKeys, "keyhole-checkpoint", row.jws));
      if (typeof followed === "number") return result(followed);
      const stretch = await checkStretch(needs, caller, checkpoint);
      checked += stretch.checked;
      if (stretch.firstBad !== null) return result(stretch.firstBad);
      standing = followed;
    }
    if (rows.length < AT_ONCE) return result(await endsAt(log.head, standing));
    if (n + AT_ONCE >= CHECKPOINTS) return result(null, standing.previous?.number ?? null);
  }
  throw new Error("a verification checks at least one page");
}

async function standingAfter({ db, signingKeys }: Needs, caller: Caller, after: number): Promise<Standing> {
  if (after === 0) return BEGINNING;
  const [found] = await runForCaller(db, caller, [selectCheckpoints(db, caller.org, after - 1, 1)]);
  const [row] = rowsOf<CheckpointRow>(found);
  if (row?.number !== after) return BEGINNING;
  const statement = await readStatement(signingKeys, "keyhole-checkpoint", row.jws);
  return { previous: checkpointBody(row), unvouchedFrom: statement?.vouched ? null : row.first_seq };
}

async function readPage({ db, signingKeys }: Needs, caller: Caller, after: number): Promise<{ rows: CheckpointRow[]; log: Log }> {
  const [page, extents] = await runForCaller(db, caller, [selectCheckpoints(db, caller.org, after, AT_ONCE), selectExtent(db, caller.org)]);
  return { rows: rowsOf<CheckpointRow>(page), log: await readExtent(signingKeys, caller.org, extents) };
}

async function readExtent(signingKeys: SigningKeys, org: string, extents: D1Result | undefined): Promise<Log> {
  const [{ first, last, head } = { first: null, last: 0, head: null }] = rowsOf<LogExtent>(extents);
  return { first, last, head: await readHead(signingKeys, org, head) };
}

async function checkStretch({ db, signingKeys }: Needs, caller: Caller, checkpoint: Checkpoint): Promise<{ checked: number; firstBad: number | null }> {
  const { first_seq, last_seq, row_digests } = checkpoint;
  const [events, extents] = await runForCaller(db, caller, [selectStretch(db, caller.org, first_seq, row_digests.length), selectExtent(db, caller.org)]);
  const { head } = await readExtent(signingKeys, caller.org, extents);
  if (head && last_seq <= head.removed_to) return { checked: 0, firstBad: null };
  const found = rowsOf<EventRow>(events)
    .filter(({ seq }) => seq <= last_seq)
    .map(eventBody);
  return { checked: found.length, firstBad: await firstBadEvent(checkpoint, found) };
}
