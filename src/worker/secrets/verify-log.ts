import { retentionPayloadSchema, type VerifyReply } from "../../contract/audit.ts";
import { firstBadEvent, isLinked } from "../../contract/check-stretch.ts";
import type { Caller } from "../access/caller.ts";
import { readStatement } from "../access/sign-statement.ts";
import type { SigningKeys } from "../access/signing-keys.ts";
import { type CheckpointRow, type LogExtent, selectCheckpoints, selectExtent } from "../audit/checkpoints.ts";
import { type EventRow, selectStretch } from "../audit/read-events.ts";
import { rowsOf } from "../store/run-batch.ts";
import { checkpointBody, eventBody } from "./event-body.ts";
import { runForCaller } from "./run-for-caller.ts";

/** How many checkpoints one call checks; each takes one read of its events. */
const CHECKPOINTS = 300;
const AT_ONCE = 20;

type Needs = { readonly db: D1Database; readonly signingKeys: SigningKeys };

/** Where a verification stands: before the first checkpoint after `number`, and what that has to follow. */
interface Progress {
  readonly checked: number;
  readonly vouched: boolean;
  readonly previous: CheckpointRow | null;
  readonly firstBad: number | null;
}

/** What a verification comes to. `next` is the checkpoint to go on after, `null` at the end of the log. */
export type Verification = Omit<VerifyReply, "next_cursor"> & { readonly next: number | null };

/**
 * Recomputes the sealed part of the organization's log against its checkpoints.
 *
 * @param after The checkpoint to begin after; 0 for the beginning.
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function verifyLog(needs: Needs, caller: Caller, after: number): Promise<Verification> {
  caller.require("audit:read");
  const { db } = needs;
  const [extents, before] = await runForCaller(db, caller, [selectExtent(db, caller.org), selectCheckpoints(db, caller.org, after - 1, 1)]);
  const [extent = { last: 0, removed_to: 0, retention: null }] = rowsOf<LogExtent>(extents);
  const removedTo = await removedByRetention(needs, caller.org, extent);
  let progress: Progress = { checked: 0, vouched: true, previous: after > 0 ? (rowsOf<CheckpointRow>(before)[0] ?? null) : null, firstBad: null };
  for (let n = 0; n < CHECKPOINTS; n += AT_ONCE) {
    const [page] = await runForCaller(db, caller, [selectCheckpoints(db, caller.org, progress.previous?.number ?? 0, AT_ONCE)]);
    const rows = rowsOf<CheckpointRow>(page);
    for (const row of rows) {
      progress = await checkNext(needs, caller, progress, row, removedTo);
      if (progress.firstBad !== null) return verification(progress, extent, null);
    }
    if (rows.length < AT_ONCE) return atTheEnd(progress, extent);
  }
  return verification(progress, extent, progress.previous?.number ?? null);
}

/** Up to which event retention has removed the log, by its signed statement alone. */
async function removedByRetention({ signingKeys }: Needs, org: string, { retention }: LogExtent): Promise<number> {
  const statement = retention === null ? undefined : await readStatement(signingKeys, "keyhole-retention", retention);
  const { data } = retentionPayloadSchema.safeParse(statement?.payload);
  return data && statement?.vouched && data.org === org ? data.removed_to : 0;
}

async function checkNext({ db, signingKeys }: Needs, caller: Caller, progress: Progress, row: CheckpointRow, removedTo: number): Promise<Progress> {
  const { previous } = progress;
  const checkpoint = checkpointBody(row);
  const statement = await readStatement(signingKeys, "keyhole-checkpoint", row.jws);
  const linked = await isLinked({ org: caller.org, checkpoint, previous, payload: statement?.payload });
  const next = { checked: progress.checked, vouched: statement?.vouched ?? false, previous: row };
  if (!linked) return { ...next, firstBad: (previous?.last_seq ?? 0) + 1 };
  if (row.last_seq <= removedTo) return { ...next, firstBad: null };
  const count = row.last_seq - row.first_seq + 1;
  const [events] = await runForCaller(db, caller, [selectStretch(db, caller.org, row.first_seq, count)]);
  const found = rowsOf<EventRow>(events)
    .filter(({ seq }) => seq <= row.last_seq)
    .map(eventBody);
  return { ...next, checked: progress.checked + found.length, firstBad: await firstBadEvent(checkpoint, found) };
}

/** A log whose last checkpoint nobody vouches for could be of anybody's making. */
function atTheEnd(progress: Progress, extent: LogExtent): Verification {
  const lost = extent.last < (progress.previous?.last_seq ?? 0) ? extent.last + 1 : null;
  const unvouched = progress.vouched ? null : (progress.previous?.first_seq ?? null);
  return verification({ ...progress, firstBad: unvouched ?? lost }, extent, null);
}

function verification({ checked, previous, firstBad }: Progress, { last }: LogExtent, next: number | null): Verification {
  return { ok: firstBad === null, checked, unsealed: Math.max(0, last - (previous?.last_seq ?? 0)), first_bad: firstBad, next };
}
