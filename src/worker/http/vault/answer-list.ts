import type { Context } from "hono";
import { MAX_LISTED } from "../../../contract/object.ts";
import { Problem } from "../../../contract/problem.ts";
import type { VaultListQuery } from "../../../contract/vault.ts";
import { parseObjectPath } from "../../../contract/vault-path.ts";
import type { Caller } from "../../access/caller.ts";
import { listObjects } from "../../objects/list-objects.ts";
import { listSecrets } from "../../secrets/list-secrets.ts";
import type { Page } from "../../transaction/page-of.ts";
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
  const beyond = query.after ?? "";
  const names = await namesIn(needs, caller, prefix, { after: beyond, limit: most });
  const keys = new Set([...names.rows, ...(await foldersIn(needs, caller, prefix))]);
  const after = [...keys].filter((key) => key > beyond).sort((a, b) => (a < b ? -1 : 1));
  return keysReply(c, after.slice(0, most), after.length > most || names.next !== null, query);
}

async function namesIn(needs: RequestNeeds, caller: Caller, prefix: readonly string[], { after, limit }: { after: string; limit: number }) {
  const parsed = parseObjectPath(prefix);
  // A path of no scope may still have scopes below it: `team` has.
  if ("reason" in parsed) return { rows: [], next: null };
  const { scope } = parsed;
  const { rows, next } = await listSecrets(needs, caller, { scope, limit, deleted: "false" }, { name: after, scope });
  return { rows: rows.map(({ name }) => name), next };
}

/** All of them: an object `a` is shown as `a/`, which comes after `a-b/`, so that the order of objects is not the one of what is shown. */
async function foldersIn(needs: RequestNeeds, caller: Caller, prefix: readonly string[]): Promise<string[]> {
  const folders: string[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const page: Page<string, string> = await listObjects(needs, caller, prefix, { after });
    folders.push(...page.rows.map((key) => (key.endsWith("/") ? key : `${key}/`)));
    after = page.next;
  }
  return folders;
}

/** Refuses to read what is only there to be listed. */
export function requireList({ list }: { readonly list?: boolean | undefined }): void {
  if (!list) throw new Problem("scope-not-found", "There is nothing at the top itself.");
}

function limitOf({ limit = 0 }: VaultListQuery): number {
  return limit > 0 ? Math.min(limit, MAX_LISTED) : MAX_LISTED;
}

function keysReply(c: Ctx, keys: readonly string[], more: boolean, { limit = 0 }: VaultListQuery): Response {
  if (keys.length === 0) throw new Problem("scope-not-found", "There is nothing below this path.");
  return vaultReply(c, { keys }, more && !(limit > 0) ? ["There are more: after=<the last of these> goes on."] : []);
}
