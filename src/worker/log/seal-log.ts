import type { CheckpointPayload, HeadPayload } from "../../contract/audit.ts";
import { EVENT_VERSIONS, type EventVersions, eventDigestBy, sha256 } from "../../contract/audit-digest.ts";
import type { Link } from "../../contract/check-chain.ts";
import { judgeHead } from "../../contract/judge-log.ts";
import { formatTime } from "../../contract/time.ts";
import { signPayload } from "../access/sign-payload.ts";
import { type CheckpointRow, insertCheckpoint, selectLastCheckpoint } from "../audit/checkpoints.ts";
import { type GenerationRow, selectLastGeneration } from "../audit/generations.ts";
import { type HeadRow, replaceHead, selectHead } from "../audit/heads.ts";
import { markFailed, markSeen, selectUnseen, type Unseen } from "../audit/marks.ts";
import { type EventRow, selectUnsealed } from "../audit/read-events.ts";
import { GuardError, rowsOf, runBatch } from "../store/run-batch.ts";
import { requireChanges } from "../store/secret-rows.ts";
import { eventBody } from "./event-body.ts";
import { LogError, lastLink, requireHead, signHead } from "./log-head.ts";
import type { LogJobNeeds } from "./log-job-needs.ts";
import { entriesOf, NO_REGISTRY } from "./registry.ts";
import { takeTurns } from "./take-turns.ts";

/** How many organizations come in one round. */
const ORGS = 50;
/** How many events one checkpoint seals. */
const EVENTS = 1_000;

/** What a run did. */
export interface SealedEvents {
  events: number;
  /** Organizations whose log is not what was signed, or goes on with what only a later Keyhole can seal: it is not sealed any further. */
  refused: number;
}

/**
 * Seals what is new in each organization's log into checkpoints, signed and chained to the one before. Logs take turns,
 * and one that is not what was signed keeps none of the others from being sealed. Of two runs at once the first one's
 * checkpoint stays.
 */
export async function sealLog(needs: LogJobNeeds): Promise<SealedEvents> {
  const { db, registry, now } = needs;
  const sealed: SealedEvents = { events: 0, refused: 0 };
  if (!registry) return sealed;
  const select = async (except: string) => {
    const [found] = await runBatch(db, [selectUnseen(db, "seal", now.getTime(), ORGS, except)]);
    const logs = rowsOf<Unseen>(found);
    return { logs, full: logs.length === ORGS };
  };
  const work = async ({ org, last }: Unseen) => {
    const done = await sealOrRefuse(needs, org);
    if (done === "refused") sealed.refused++;
    else sealed.events += done.events;
    return done === "refused" || done.events === 0 ? "stuck" : done.to < last ? "more" : "done";
  };
  const accused = await takeTurns(needs, { job: "seal", select, work });
  return { ...sealed, refused: sealed.refused + accused };
}

interface Progress {
  readonly events: number;
  readonly to: number;
}

async function sealOrRefuse(needs: LogJobNeeds, org: string): Promise<Progress | "refused"> {
  try {
    return await sealNext(needs, org);
  } catch (error) {
    // Another run has sealed the same stretch.
    if (error instanceof GuardError) return { events: 0, to: 0 };
    if (!(error instanceof LogError)) throw error;
    await runBatch(needs.db, [markFailed(needs.db, "seal", org, needs.now.getTime())]);
    return "refused";
  }
}

async function sealNext(needs: LogJobNeeds, org: string): Promise<Progress> {
  const { db, logKeys, now, versions = EVENT_VERSIONS } = needs;
  const [checkpoints, generations, heads, events] = await runBatch(db, [
    selectLastCheckpoint(db, org),
    selectLastGeneration(db, org),
    selectHead(db, org),
    selectUnsealed(db, org, EVENTS),
  ]);
  const [previous] = rowsOf<CheckpointRow>(checkpoints);
  const [head] = rowsOf<HeadRow>(heads);
  const link = await lastLink(previous, rowsOf<GenerationRow>(generations)[0]);
  const was = await requireHead(logKeys, org, head?.jws ?? null, link);
  await requireOnRecord(needs, was);
  const unsealed = withoutGap(rowsOf<EventRow>(events));
  const [first, ...others] = upToUnknown(unsealed, versions);
  if (!first && unsealed.length > 0) throw new LogError("a log goes on with an event of a version that is not known");
  if (!first) return { events: 0, to: previous?.last_seq ?? 0 };
  const rows = [first, ...others] as const;
  const checkpoint = await makeCheckpoint({ logKeys, versions }, org, link, rows);
  const { number, jws, last_seq: to } = checkpoint;
  const next = await signHead(logKeys, { ...was, number, checkpoint: await sha256(jws) });
  await runBatch(db, [
    replaceHead(db, next, head?.jws ?? null, now.getTime()),
    requireChanges(db, 1),
    insertCheckpoint(db, checkpoint),
    markSeen(db, "seal", [{ org, done: 0, to }], now.getTime()),
  ]);
  return { events: rows.length, to };
}

/** A log that had come further is not sealed afresh: what is signed next would hide that. */
async function requireOnRecord({ registry = NO_REGISTRY, keyring }: LogJobNeeds, head: HeadPayload): Promise<void> {
  const entries = await entriesOf(registry, keyring, head.org);
  if (entries.some((entry) => judgeHead(entry, head) !== null)) throw new LogError("a log is not as far as it is on record to have been");
}

/** A checkpoint seals numbers that follow each other: one that is missing is then found between two of them. */
function withoutGap(rows: readonly EventRow[]): readonly EventRow[] {
  const gap = rows.findIndex(({ seq }, n) => seq !== (rows[0]?.seq ?? 0) + n);
  return gap === -1 ? rows : rows.slice(0, gap);
}

/** What is of a version that is not known waits for the Worker that knows it: a digest of ours would not cover all that it says. */
function upToUnknown(rows: readonly EventRow[], versions: EventVersions): readonly EventRow[] {
  const unknown = rows.findIndex(({ version }) => !Object.hasOwn(versions, version));
  return unknown === -1 ? rows : rows.slice(0, unknown);
}

async function makeCheckpoint(
  { logKeys, versions }: Required<Pick<LogJobNeeds, "logKeys" | "versions">>,
  org: string,
  link: Link,
  rows: readonly [EventRow, ...EventRow[]],
): Promise<CheckpointRow> {
  const digests = await Promise.all(rows.map((row) => eventDigestBy(versions, eventBody(row))));
  const times = rows.map(({ at }) => at);
  const first_seq = rows[0].seq;
  const stretch = { org, number: link.number + 1, first_seq, last_seq: first_seq + rows.length - 1 };
  const last_at = Math.max(...times);
  const payload: CheckpointPayload = {
    ...stretch,
    last_at: formatTime(last_at),
    rows: await sha256(digests.join("")),
    previous: link.hash,
  };
  const jws = await signPayload(logKeys, "keyhole-checkpoint", payload);
  return { ...stretch, first_at: Math.min(...times), last_at, row_digests: JSON.stringify(digests), jws };
}
