import type { Client, ComparedStores } from "../../client/create-client.ts";
import { command } from "../define-command.ts";
import { note, printJson } from "../output.ts";
import { printTable } from "../print-table.ts";
import { askToConfirm } from "../prompt.ts";
import { finishAll, showLogs, WHY_REFUSED } from "../restored-logs.ts";
import { openSession } from "../session.ts";

/** `keyhole admin reconcile`. */
export const adminReconcile = command({
  description: "After the database was set back to an earlier time: compare it with what is outside it, and put right what can be",
  examples: ["keyhole admin reconcile --dry-run", "keyhole admin reconcile --remove-orphans"],
  args: {
    "dry-run": { type: "boolean", description: "only show what there is" },
    "keep-tokens": { type: "boolean", description: "tokens stay in force, unless revocations are known to be lost" },
    "remove-orphans": { type: "boolean", description: "remove from KV what no row names: after that, no restore to another time finds it" },
    yes: { type: "boolean", alias: "y", description: "do not ask" },
  },
  async run({ profile, insecure, json, "dry-run": dry, "keep-tokens": keep = false, "remove-orphans": orphans = false, yes }) {
    const { client } = await openSession({ profile, insecure });
    const found = await compareAll(client);
    if (!json) show(found);
    if (dry) return json ? printJson(withoutCursors(found)) : undefined;
    await askToConfirm(`Delete again what is there again, accept all else as it is${keep ? "" : ", and end every token, yours too"}?`, yes);
    for (const { cursor, rows, orphans: unnamed } of found)
      if (rows.some(({ fault }) => fault === "returned") || (orphans && unnamed > 0)) await client.backup.reconcile({ cursor });
    const logs = await finishAll(client, { keep_tokens: keep, restored_in_place: true });
    if (json) printJson({ ...withoutCursors(found), logs });
    else showLogs(logs);
  },
});

type Found = Omit<ComparedStores, "next_cursor"> & { readonly cursor: string | undefined };

async function compareAll(client: Client): Promise<Found[]> {
  const found: Found[] = [];
  for (let cursor: string | undefined, more = true; more; ) {
    const { next_cursor: next, ...page } = await client.backup.compare({ cursor });
    found.push({ cursor, ...page });
    [cursor, more] = [next ?? undefined, next !== null];
  }
  return found;
}

function withoutCursors(found: readonly Found[]) {
  return {
    rows: found.flatMap(({ rows }) => rows),
    values: found.flatMap(({ values }) => values),
    orphans: found.reduce((sum, { orphans }) => sum + orphans, 0),
  };
}

function show(found: readonly Found[]): void {
  const { rows, values, orphans } = withoutCursors(found);
  const lines = [
    ...rows.map(({ table, key, fault }) => [table, key.join(" "), FAULTS[fault]]),
    ...values.map(({ table, key, reason }) => [table, key.join(" "), WHY_REFUSED[reason]]),
  ];
  printTable(["TABLE", "ROW", "WHAT"], lines, "Every row is as it was on record, and every value opens.");
  if (orphans > 0) note(`${orphans} objects in KV are named by no row.`);
}

const FAULTS: Readonly<Record<ComparedStores["rows"][number]["fault"], string>> = {
  missing: "is gone, and was on record",
  returned: "was deleted, and is there again: will be deleted again",
  changed: "is not what was on record",
};
