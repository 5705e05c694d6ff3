import type { LogKeys } from "../access/log-keys.ts";
import { type HeadRow, noteTried, replaceHead, selectForeignHeads } from "../audit/heads.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { readReplaceableHead, signHead } from "./log-head.ts";

/** How many heads one run renews. */
const BATCH = 100;

type Needs = { readonly db: D1Database; readonly logKeys: LogKeys; readonly now: Date };

/**
 * Signs the heads that an older key signed with the present one, so that the older one can go, also where nothing has
 * been sealed since. Returns how many, and how many are by keys, or of a form, that is not known.
 */
export async function renewHeads({ db, logKeys, now }: Needs): Promise<{ renewed: number; unknown: number }> {
  const [found] = await runBatch(db, [selectForeignHeads(db, logKeys.signer.kid, BATCH)]);
  const rows = rowsOf<HeadRow>(found);
  const renewals = await Promise.all(rows.map((row) => renew(logKeys, row)));
  const statements = rows.map((row, n) => {
    const renewal = renewals[n];
    return renewal ? replaceHead(db, renewal, row.jws, now.getTime()) : noteTried(db, row.org, now.getTime());
  });
  if (statements.length > 0) await runBatch(db, statements);
  const renewed = renewals.filter((renewal) => renewal !== undefined).length;
  return { renewed, unknown: rows.length - renewed };
}

async function renew(keys: LogKeys, { org, jws }: HeadRow): Promise<HeadRow | undefined> {
  const head = await readReplaceableHead(keys, org, jws);
  return head && signHead(keys, head);
}
