import type { Client, FinishedRestore, RestoredPage } from "../client/create-client.ts";
import { printTable } from "./print-table.ts";

/** Has a restore finished, and returns what was found of each log. */
export async function finishAll(client: Client, body: { keep_tokens: boolean }): Promise<FinishedRestore["logs"]> {
  const logs: FinishedRestore["logs"] = [];
  for (;;) {
    const reply = await client.backup.finish(body);
    logs.push(...reply.logs);
    if (reply.done) return logs;
  }
}

/** Shows what was found of each log. */
export function showLogs(logs: FinishedRestore["logs"]): void {
  const rows = logs.map(({ org, events, lost, verified }) => [
    org,
    String(events),
    lost ? `${lost.first_seq} to ${lost.last_seq}` : "none known",
    verified ? "" : "not what was signed",
  ]);
  printTable(["ORGANIZATION", "EVENTS UP TO", "LOST", ""], rows, "It was finished before.");
}

/** Why a row was not taken, or without what. */
export const WHY_REFUSED: Readonly<Record<RestoredPage["refused"][number]["reason"], string>> = {
  seal: "a seal that is not its own",
  value: "does not open",
  archive: "a part of a log that is not there, or does not open",
  "no-ciphertext": "its ciphertext is lost",
};
