import type { CheckpointPayload, HeadPayload } from "../../contract/audit.ts";
import { EVENT_VERSIONS, type EventVersions, eventDigests, sha256 } from "../../contract/audit-digest.ts";
import type { Link } from "../../contract/check-chain.ts";
import { judgeHead } from "../../contract/judge-log.ts";
import { formatTime } from "../../contract/time.ts";
import { signPayload } from "../access/sign-payload.ts";
import type { CheckpointRow, LastCheckpoint } from "../audit/checkpoints.ts";
import type { GenerationRow } from "../audit/generations.ts";
import type { HeadRow, NextHead } from "../audit/heads.ts";
import type { EventRow } from "../audit/read-events.ts";
import { eventBody } from "./event-body.ts";
import { LogError, lastLink, requireHead, signHead } from "./log-head.ts";
import type { LogJobNeeds } from "./log-job-needs.ts";
import { entriesOf, NO_REGISTRY } from "./registry.ts";

/** What D1 has of a log that is to be sealed further. */
export interface OpenLog {
  readonly org: string;
  readonly checkpoint: LastCheckpoint | undefined;
  readonly generation: GenerationRow | undefined;
  readonly head: HeadRow | undefined;
  /** The next events that no checkpoint seals. */
  readonly events: readonly EventRow[];
}

/** What seals a log further, to be written together. */
export interface NextCheckpoint {
  readonly checkpoint: CheckpointRow;
  readonly head: NextHead;
}

type Needs = Pick<LogJobNeeds, "keyring" | "logKeys" | "registry" | "versions" | "budget">;

/**
 * Makes the next checkpoint of a log, and the head that names it; `undefined` where there is nothing to be sealed.
 *
 * @throws {LogError} when the log is not what was signed, or goes on with what only a later Keyhole can seal.
 */
export async function nextCheckpoint(needs: Needs, { org, checkpoint: previous, generation, head, events }: OpenLog): Promise<NextCheckpoint | undefined> {
  const { logKeys, versions = EVENT_VERSIONS, budget } = needs;
  const link = await lastLink(previous, generation);
  const was = await requireHead(logKeys, org, head?.jws ?? null, link);
  await requireOnRecord(needs, was);
  const unsealed = withoutGap(events);
  const [first, ...others] = upToUnknown(unsealed, versions);
  if (!first && unsealed.length > 0) throw new LogError("a log goes on with an event of a version that is not known");
  if (!first) return undefined;
  const checkpoint = await makeCheckpoint({ logKeys, versions, budget }, org, link, [first, ...others]);
  const next = await signHead(logKeys, { ...was, number: checkpoint.number, checkpoint: await sha256(checkpoint.jws) });
  return { checkpoint, head: { ...next, was: head?.jws ?? null } };
}

/** A log that had come further is not sealed afresh: what is signed next would hide that. */
async function requireOnRecord({ registry = NO_REGISTRY, keyring }: Needs, head: HeadPayload): Promise<void> {
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
  { logKeys, versions, budget }: Required<Pick<LogJobNeeds, "logKeys" | "versions">> & Pick<LogJobNeeds, "budget">,
  org: string,
  link: Link,
  rows: readonly [EventRow, ...EventRow[]],
): Promise<CheckpointRow> {
  const digests = await eventDigests(versions, rows.map(eventBody), budget?.work.turn);
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
