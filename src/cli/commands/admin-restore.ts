import type { Client, FinishedRestore, RestoredPage } from "../../client/create-client.ts";
import { CliError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { EXIT } from "../exit-code.ts";
import { endProgress, note, printJson, progress } from "../output.ts";
import { readPages } from "../page-file.ts";
import { printTable } from "../print-table.ts";
import { askToConfirm } from "../prompt.ts";
import { finishAll, showLogs, WHY_REFUSED } from "../restored-logs.ts";
import { openSession } from "../session.ts";

/** `keyhole admin restore`. */
export const adminRestore = command({
  description: "Restore a backup into an empty deployment with the same keys; goes on with a restore that was stopped",
  examples: ["keyhole admin restore keyhole.backup", "keyhole admin restore keyhole.backup --keep-tokens --yes"],
  args: {
    file: { type: "positional", valueHint: "FILE", description: "what `keyhole admin backup` wrote" },
    "keep-tokens": { type: "boolean", description: "tokens that were issued before stay in force, unless revocations are known to be lost" },
    yes: { type: "boolean", alias: "y", description: "do not ask" },
  },
  async run({ profile, insecure, json, file, "keep-tokens": keep = false, yes }) {
    const { client, url } = await openSession({ profile, insecure });
    await askToConfirm(
      `Restore ${file} into ${url}, which has to be empty, and end ${keep ? "no token" : "every token that was issued before, yours too"}?`,
      yes,
    );
    const refused = await restoreAll(client, file);
    const logs = await finishAll(client, { keep_tokens: keep });
    if (json) printJson({ refused, logs });
    else show(refused, logs);
    return refused.length > 0 || logs.some(({ verified }) => !verified) ? EXIT.failed : EXIT.ok;
  },
});

async function restoreAll(client: Client, file: string): Promise<RestoredPage["refused"]> {
  const refused: RestoredPage["refused"] = [];
  let [line, whole] = [0, false];
  for await (const page of readPages(file)) {
    line++;
    // Also those that are here already, of a restore that was stopped: they are not taken again, and what was left out is named.
    const reply = await client.backup.restore(page);
    refused.push(...reply.refused);
    ({ whole } = reply);
    progress(`page ${line}`);
  }
  endProgress();
  if (!whole)
    throw new CliError(
      `${file} is not whole: after page ${line} the end is missing`,
      "until it is here, the deployment answers nothing else; go on with: keyhole admin backup --file",
    );
  return refused;
}

function show(refused: RestoredPage["refused"], logs: FinishedRestore["logs"]): void {
  showLogs(logs);
  if (refused.length === 0) note("Every row has its seal, and every value opens.");
  else
    printTable(
      ["TABLE", "ROW", "REFUSED"],
      refused.map(({ table, key, reason }) => [table, key.join(" "), WHY_REFUSED[reason]]),
      "",
    );
}
