import type { CheckpointPayload } from "../../contract/audit.ts";
import { eventDigest, sha256 } from "../../contract/audit-digest.ts";
import { formatTime } from "../../contract/time.ts";
import { signStatement } from "../access/sign-statement.ts";
import type { SigningKeys } from "../access/signing-keys.ts";
import { type CheckpointRow, insertCheckpoint, selectLastCheckpoint } from "../audit/checkpoints.ts";
import { markSeen, selectUnseen, type Unseen } from "../audit/marks.ts";
import { type EventRow, selectStretch } from "../audit/read-events.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { eventBody } from "./event-body.ts";

/** How many organizations one run seals. */
const ORGS = 50;
/** How many events one checkpoint seals. */
const EVENTS = 1_000;

type Needs = { readonly db: D1Database; readonly signingKeys: SigningKeys; readonly now: Date };

/**
 * Seals what is new in each organization's log into a checkpoint, signed and chained to the one before. Of two runs
 * at once the first one's checkpoint stays. Returns how many events were sealed.
 */
export async function sealLog(needs: Needs): Promise<number> {
  const [found] = await runBatch(needs.db, [selectUnseen(needs.db, "seal", ORGS)]);
  let sealed = 0;
  for (const { org } of rowsOf<Unseen>(found)) sealed += await sealNext(needs, org);
  return sealed;
}

async function sealNext({ db, signingKeys, now }: Needs, org: string): Promise<number> {
  const [last] = await runBatch(db, [selectLastCheckpoint(db, org)]);
  const [previous] = rowsOf<CheckpointRow>(last);
  const [events] = await runBatch(db, [selectStretch(db, org, (previous?.last_seq ?? 0) + 1, EVENTS)]);
  const rows = rowsOf<EventRow>(events);
  const checkpoint = await makeCheckpoint(signingKeys, org, previous, rows);
  const seen = checkpoint?.last_seq ?? previous?.last_seq ?? 0;
  await runBatch(db, [
    ...(checkpoint ? [insertCheckpoint(db, checkpoint)] : []),
    markSeen(db, "seal", [{ org, done: previous?.last_seq ?? 0, to: seen }], now.getTime()),
  ]);
  return rows.length;
}

async function makeCheckpoint(
  signingKeys: SigningKeys,
  org: string,
  previous: CheckpointRow | undefined,
  rows: readonly EventRow[],
): Promise<CheckpointRow | undefined> {
  const [first] = rows;
  const last = rows.at(-1);
  if (!first || !last) return undefined;
  const digests = await Promise.all(rows.map((row) => eventDigest(eventBody(row))));
  const times = rows.map(({ at }) => at);
  const stretch = { org, number: (previous?.number ?? 0) + 1, first_seq: first.seq, last_seq: last.seq };
  const last_at = Math.max(...times);
  const payload: CheckpointPayload = {
    ...stretch,
    last_at: formatTime(last_at),
    rows: await sha256(digests.join("")),
    previous: previous ? await sha256(previous.jws) : null,
  };
  const jws = await signStatement(signingKeys, "keyhole-checkpoint", payload);
  return { ...stretch, first_at: Math.min(...times), last_at, row_digests: JSON.stringify(digests), jws };
}
