import { generationOf, type HeadPayload } from "./audit.ts";
import type { LogState } from "./audit-registry.ts";

/** What is wrong with a log, by what is on record elsewhere: it does not go as far, or is another one. */
export type Accusation = "behind" | "differs";

/**
 * Judges a log by a state that it has been in. That it has gone on since is as it should be; a restore that was accepted
 * is signed in its head, as a later generation.
 *
 * @param hashAt The hash of the JWS of the log's own link with a number, `null` where it has none.
 */
export async function judgeLog(
  must: LogState,
  head: HeadPayload,
  hashAt: (number: number) => Promise<string | null> | string | null,
): Promise<Accusation | null> {
  const accusation = judgeHead(must, head);
  if (accusation !== null || !goesOn(must, head)) return accusation;
  return must.number > 0 && (await hashAt(must.number)) !== must.checkpoint ? "differs" : null;
}

/** What a log's head by itself shows of that. */
export function judgeHead(must: LogState, head: HeadPayload): Accusation | null {
  const generation = generationOf(head);
  if (generation !== must.generation) return generation < must.generation ? "behind" : null;
  if (head.number < must.number || head.removed_to < must.removed_to) return "behind";
  return head.number === must.number && head.checkpoint !== must.checkpoint ? "differs" : null;
}

/** Whether only the link with the state's number can show whether it is the same log. */
export function goesOn(must: LogState, head: HeadPayload): boolean {
  return generationOf(head) === must.generation && head.number > must.number;
}
