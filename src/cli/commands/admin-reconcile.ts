import type { Client, ComparedStores } from "../../client/create-client.ts";
import { MAX_RECONCILED } from "../../contract/backup.ts";
import { CliError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { EXIT } from "../exit-code.ts";
import { note, printJson } from "../output.ts";
import { printTable } from "../print-table.ts";
import { askToConfirm } from "../prompt.ts";
import { finishAll, showLogs, WHY_REFUSED } from "../restored-logs.ts";
import { openSession } from "../session.ts";

/** `keyhole admin reconcile`. */
export const adminReconcile = command({
  description:
    "After the database was set back to an earlier time: compare it with what is outside it, and put right what can be; goes on where it was stopped",
  examples: ["keyhole admin reconcile --dry-run", "keyhole admin reconcile --remove-orphans"],
  args: {
    "dry-run": { type: "boolean", description: "only show what there is" },
    "keep-tokens": { type: "boolean", description: "tokens stay in force, unless revocations are known to be lost" },
    "remove-orphans": { type: "boolean", description: "remove from KV what no row names: after that, no restore to another time finds it" },
    "accept-unknown": { type: "boolean", description: "finish although a part of the inventory cannot be read, and what was deleted there may stay" },
    yes: { type: "boolean", alias: "y", description: "do not ask" },
  },
  async run({ profile, insecure, json, "dry-run": dry, "keep-tokens": keep = false, "remove-orphans": orphans = false, "accept-unknown": accept, yes }) {
    const { client } = await openSession({ profile, insecure });
    if (!dry) {
      await askToConfirm("Answer nothing else from now on, until this is finished?", yes);
      // So that what is shown is what there is when it is deleted.
      await client.backup.reconcile();
      note("The deployment answers nothing else until this is finished: the same command goes on with it.");
    }
    const found = await compareAll(client);
    if (!json) show(found);
    const { unknown } = withoutCursors(found);
    if (dry) {
      if (json) printJson(withoutCursors(found));
      return unknown ? EXIT.failed : EXIT.ok;
    }
    if (unknown && !accept)
      throw new CliError(
        "a part of the inventory cannot be read: what was deleted there may be there again",
        "nothing was changed, and the deployment answers nothing else; run it again, or finish all the same with --accept-unknown",
      );
    await askToConfirm(`Delete again what is there again, accept all else as it is${keep ? "" : ", and end every token, yours too"}?`, yes);
    const skipped = await putRight(client, found, orphans);
    const logs = await finishAll(client, { keep_tokens: keep });
    if (json) printJson({ ...withoutCursors(found), skipped, logs });
    else showLogs(logs);
    return skipped.length > 0 || unknown || logs.some(({ verified }) => !verified) ? EXIT.failed : EXIT.ok;
  },
});

type Found = Omit<ComparedStores, "next_cursor"> & { readonly cursor: string | undefined };
type Row = ComparedStores["rows"][number];

async function compareAll(client: Client): Promise<Found[]> {
  const found: Found[] = [];
  for (let cursor: string | undefined, more = true; more; ) {
    const { next_cursor: next, ...page } = await client.backup.compare({ cursor });
    found.push({ cursor, ...page });
    [cursor, more] = [next ?? undefined, next !== null];
  }
  return found;
}

/** Deletes again what is there again, until a comparison shows no more of it. Returns what was left, which is shown. */
async function putRight(client: Client, shown: readonly Found[], removeOrphans: boolean): Promise<Row[]> {
  const skipped: Row[] = [];
  const nameOf = ({ table, key }: Row) => JSON.stringify([table, ...key]);
  const isLeft = (row: Row) => skipped.some((one) => nameOf(one) === nameOf(row));
  // What a later comparison shows beside that, nobody has agreed to.
  const agreed = new Set(shown.flatMap(({ rows }) => rows).map(nameOf));
  for (let found = shown; ; found = await compareAll(client)) {
    let done = 0;
    for (const { cursor, rows, orphans } of found) {
      const keys = rows.filter((row) => row.fault === "returned" && agreed.has(nameOf(row)) && !isLeft(row)).map(({ key }) => key);
      for (let at = 0; at < keys.length; at += MAX_RECONCILED) {
        const reply = await client.backup.reconcile({ cursor, keys: keys.slice(at, at + MAX_RECONCILED) });
        skipped.push(...reply.skipped);
        done += reply.deleted.length + reply.skipped.length;
      }
      if (removeOrphans && orphans > 0 && found === shown) await client.backup.reconcile({ cursor, remove_orphans: true });
    }
    if (done > 0) continue;
    const left = found.flatMap(({ rows }) => rows).filter((row) => row.fault === "returned" && !isLeft(row));
    if (left.length > 0) throw new CliError("rows that are there again are left", "run it again; until it is finished, the deployment answers nothing else");
    for (const { table, key } of skipped) note(`${table} ${key.join(" ")} was left: its seal is not its own.`);
    return skipped;
  }
}

function withoutCursors(found: readonly Found[]) {
  return {
    rows: found.flatMap(({ rows }) => rows),
    values: found.flatMap(({ values }) => values),
    orphans: found.reduce((sum, { orphans }) => sum + orphans, 0),
    unknown: found.some(({ unknown }) => unknown),
  };
}

function show(found: readonly Found[]): void {
  const { rows, values, orphans, unknown } = withoutCursors(found);
  const lines = [
    ...rows.map(({ table, key, fault }) => [table, key.join(" "), FAULTS[fault]]),
    ...values.map(({ table, key, reason }) => [table, key.join(" "), WHY_REFUSED[reason]]),
  ];
  printTable(
    ["TABLE", "ROW", "WHAT"],
    lines,
    unknown ? "No fault was found in what can be compared." : "Every row is as it was on record, and every value opens.",
  );
  if (orphans > 0) note(`${orphans} objects in KV are named by no row.`);
  if (unknown) note("A part of the inventory cannot be read: what rows there should be is not known.");
}

const FAULTS: Readonly<Record<Row["fault"], string>> = {
  missing: "is gone, and was on record",
  returned: "was deleted, and is there again: will be deleted again",
  changed: "is not what was on record",
  newer: "was made or changed after the database was set back: stays",
};
