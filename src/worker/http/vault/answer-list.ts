import type { Context } from "hono";
import { Problem } from "../../../contract/problem.ts";
import type { VaultListQuery } from "../../../contract/vault.ts";
import type { Caller } from "../../access/caller.ts";
import { listObjects } from "../../objects/list-objects.ts";
import type { CallerNeeds } from "../../transaction/run-for-caller.ts";
import type { HonoEnv } from "../hono-env.ts";
import { vaultReply } from "./vault-answer.ts";

/** Lists what is below a path; of nothing there is no list. */
export async function answerList(
  c: Context<HonoEnv>,
  needs: CallerNeeds,
  caller: Caller,
  prefix: readonly string[],
  { after, limit }: VaultListQuery,
): Promise<Response> {
  const { rows, next } = await listObjects(needs, caller, prefix, { after, limit: limit !== undefined && limit > 0 ? limit : undefined });
  if (rows.length === 0) throw new Problem("scope-not-found", "There is nothing below this path.");
  const cut = next !== null && limit === undefined ? [`There are more: after=${next} goes on.`] : [];
  return vaultReply(c, { keys: [...rows] }, cut);
}
