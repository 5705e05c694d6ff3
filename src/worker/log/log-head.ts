import { type HeadPayload, headPayloadSchema } from "../../contract/audit.ts";
import { sha256 } from "../../contract/audit-digest.ts";
import { readStatement, signStatement } from "../access/sign-statement.ts";
import type { SigningKeys } from "../access/signing-keys.ts";
import type { CheckpointRow } from "../audit/checkpoints.ts";
import type { HeadRow } from "../audit/heads.ts";

/** A log is not what was signed. It is not built upon, nor is anything of it removed. */
export class LogError extends Error {
  override readonly name = "LogError";
}

/** The head of a log that nothing was sealed of yet. */
function emptyHead(org: string): HeadPayload {
  return { org, number: 0, checkpoint: null, removed_to: 0 };
}

/** What a log's head says, by its signature alone; `undefined` when no key that is known vouches for it. */
export async function readHead(keys: SigningKeys, org: string, jws: string | null): Promise<HeadPayload | undefined> {
  if (jws === null) return emptyHead(org);
  const statement = await readStatement(keys, "keyhole-head", jws);
  const { data } = headPayloadSchema.safeParse(statement?.payload);
  return data && statement?.vouched && data.org === org ? data : undefined;
}

/**
 * The same, for a log that is about to be sealed further.
 *
 * @param last The last checkpoint that there is.
 * @throws {LogError} when the head is not vouched for, or names another last checkpoint.
 */
export async function requireHead(keys: SigningKeys, org: string, jws: string | null, last: CheckpointRow | undefined): Promise<HeadPayload> {
  const head = await readHead(keys, org, jws);
  if (!head) throw new LogError("the head of a log is not signed with a key that is known");
  if (head.number !== (last?.number ?? 0) || head.checkpoint !== (last ? await sha256(last.jws) : null))
    throw new LogError("the head of a log names another last checkpoint");
  return head;
}

/** A head, signed. */
export async function signHead(keys: SigningKeys, head: HeadPayload): Promise<HeadRow> {
  return { org: head.org, removed_to: head.removed_to, kid: keys.signer.kid, jws: await signStatement(keys, "keyhole-head", head) };
}
