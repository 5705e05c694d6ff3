import type { Context } from "hono";
import { MAX_LISTED } from "../../../contract/object.ts";
import { Problem } from "../../../contract/problem.ts";
import type { VaultListQuery } from "../../../contract/vault.ts";
import { parseObjectPath } from "../../../contract/vault-path.ts";
import type { Caller } from "../../access/caller.ts";
import { listObjects } from "../../objects/list-objects.ts";
import { listSecrets } from "../../secrets/list-secrets.ts";
import type { HonoEnv } from "../hono-env.ts";
import type { RequestNeeds } from "../needs-of.ts";
import { vaultReply } from "./vault-answer.ts";

type Ctx = Context<HonoEnv>;

/** Lists the scopes below a path; of nothing there is no list. */
export async function answerList(c: Ctx, needs: RequestNeeds, caller: Caller, prefix: readonly string[], query: VaultListQuery): Promise<Response> {
  const { rows, next } = await listObjects(needs, caller, prefix, { after: query.after, limit: limitOf(query) });
  return keysReply(c, rows, next !== null, query);
}

/** Lists the secrets in the scope that a path names, and the scopes below it. */
export async function answerNames(c: Ctx, needs: RequestNeeds, caller: Caller, prefix: readonly string[], query: VaultListQuery): Promise<Response> {
  const most = limitOf(query);
  const folders = await listObjects(needs, caller, prefix);
  const names = await namesIn(needs, caller, prefix);
  const keys = new Set([...names, ...folders.rows.map((key) => (key.endsWith("/") ? key : `${key}/`))]);
  const after = [...keys].filter((key) => key > (query.after ?? "")).sort((a, b) => (a < b ? -1 : 1));
  return keysReply(c, after.slice(0, most), after.length > most || folders.next !== null || names.length === MAX_LISTED, query);
}

async function namesIn(needs: RequestNeeds, caller: Caller, prefix: readonly string[]): Promise<string[]> {
  const parsed = parseObjectPath(prefix);
  // A path of no scope may still have scopes below it: `team` has.
  if ("reason" in parsed) return [];
  const { rows } = await listSecrets(needs, caller, { scope: parsed.scope, limit: MAX_LISTED, deleted: "false" }, undefined);
  return rows.map(({ name }) => name);
}

function limitOf({ limit = 0 }: VaultListQuery): number {
  return limit > 0 ? Math.min(limit, MAX_LISTED) : MAX_LISTED;
}

function keysReply(c: Ctx, keys: readonly string[], more: boolean, { limit = 0 }: VaultListQuery): Response {
  if (keys.length === 0) throw new Problem("scope-not-found", "There is nothing below this path.");
  return vaultReply(c, { keys }, more && !(limit > 0) ? ["There are more: after=<the last of these> goes on."] : []);
}
