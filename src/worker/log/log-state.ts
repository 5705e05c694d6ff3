import { checkpointPayloadSchema, generationOf, type HeadPayload, parsePayload } from "../../contract/audit.ts";
import { sha256 } from "../../contract/audit-digest.ts";
import { generationPayloadSchema } from "../../contract/audit-generation.ts";
import type { LogState } from "../../contract/audit-registry.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { verifyPayload } from "../access/sign-payload.ts";
import type { LogRow } from "../audit/logs.ts";
import { readReplaceableHead } from "./log-head.ts";

/**
 * The state that a log is in, by its head and by the link that it names; `undefined` when the one is not signed or the
 * other is not there, or a later Keyhole wrote them.
 */
export async function logState(keys: LogKeys, row: LogRow): Promise<LogState | undefined> {
  const head = await readReplaceableHead(keys, row.org, row.head);
  if (!head) return undefined;
  const last_seq = await lastSealed(keys, head, row);
  if (last_seq === undefined) return undefined;
  return {
    generation: generationOf(head),
    number: head.number,
    checkpoint: head.checkpoint,
    last_seq,
    removed_to: head.removed_to,
    revocation: row.revocation,
  };
}

/** The last event that was sealed, as the link that the head names has it signed: what D1 says beside it counts for nothing. */
async function lastSealed(keys: LogKeys, head: HeadPayload, { checkpoint, generation }: LogRow): Promise<number | undefined> {
  if (head.checkpoint === null) return 0;
  if (checkpoint !== null && (await sha256(checkpoint)) === head.checkpoint) {
    const signed = await verifyPayload(keys, "keyhole-checkpoint", checkpoint);
    return parsePayload(checkpointPayloadSchema, signed?.payload)?.data.last_seq;
  }
  if (generation === null || (await sha256(generation)) !== head.checkpoint) return undefined;
  const signed = await verifyPayload(keys, "keyhole-generation", generation);
  const { data } = parsePayload(generationPayloadSchema, signed?.payload) ?? {};
  return data && Math.max(data.after.last_seq, data.lost.last_seq);
}
