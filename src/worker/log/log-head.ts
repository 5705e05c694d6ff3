import { generationOf, type HeadPayload, headPayloadSchema, type Parsed, parsePayload } from "../../contract/audit.ts";
import { sha256 } from "../../contract/audit-digest.ts";
import type { Link } from "../../contract/check-chain.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { signPayload, verifyPayload } from "../access/sign-payload.ts";
import type { CheckpointRow } from "../audit/checkpoints.ts";
import type { GenerationRow } from "../audit/generations.ts";
import type { HeadRow } from "../audit/heads.ts";

/** A log is not what was signed, or a later Keyhole wrote what is next in it. It is not built upon, nor is anything of it removed. */
export class LogError extends Error {
  override readonly name = "LogError";
}

/** The head of a log that nothing was sealed of yet. */
function emptyHead(org: string): HeadPayload {
  return { org, number: 0, checkpoint: null, removed_to: 0 };
}

/** What a log's head says, by its signature alone; `undefined` when no key that is known vouches for it. */
export async function readHead(keys: LogKeys, org: string, jws: string | null): Promise<Parsed<HeadPayload> | undefined> {
  if (jws === null) return { data: emptyHead(org), newer: false };
  const signed = await verifyPayload(keys, "keyhole-head", jws);
  const head = parsePayload(headPayloadSchema, signed?.payload);
  return head && signed?.vouched && head.data.org === org ? head : undefined;
}

/** The same, for a head that is to be replaced: `undefined` also for one of a later Keyhole, which would lose what it says. */
export async function readReplaceableHead(keys: LogKeys, org: string, jws: string | null): Promise<HeadPayload | undefined> {
  const head = await readHead(keys, org, jws);
  return head?.newer ? undefined : head?.data;
}

/** The last link of a log: the last checkpoint, or a restore that was accepted since. By number one cannot be before the other. */
export async function lastLink(checkpoint: Pick<CheckpointRow, "number" | "jws"> | undefined, generation: GenerationRow | undefined): Promise<Link> {
  const number = checkpoint?.number ?? 0;
  if (generation && generation.number >= number) return { number: generation.number, hash: await sha256(generation.jws), generation: generation.generation };
  return { number, hash: checkpoint ? await sha256(checkpoint.jws) : null, generation: generation?.generation ?? 1 };
}

/**
 * The same, for a log that is about to be sealed further.
 *
 * @param last The last link that there is.
 * @throws {LogError} when the head is not vouched for, is of a later Keyhole, or names another last link.
 */
export async function requireHead(keys: LogKeys, org: string, jws: string | null, last: Link): Promise<HeadPayload> {
  const head = await readReplaceableHead(keys, org, jws);
  if (!head) throw new LogError("the head of a log is not signed with a key that is known, or not of a form that is");
  if (head.number !== last.number || head.checkpoint !== last.hash || generationOf(head) !== last.generation)
    throw new LogError("the head of a log names another last checkpoint");
  return head;
}

/** A head, signed. */
export async function signHead(keys: LogKeys, head: HeadPayload): Promise<HeadRow> {
  return { org: head.org, removed_to: head.removed_to, kid: keys.signer.kid, jws: await signPayload(keys, "keyhole-head", head) };
}
