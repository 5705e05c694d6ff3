import type { KeysReply } from "../../client/create-client.ts";
import { command } from "../define-command.ts";
import { endProgress, note, printJson, progress } from "../output.ts";
import { printTable } from "../print-table.ts";
import { openSession } from "../session.ts";

const rewrap = command({
  description: "Put all stored versions under the current key now, without waiting for the scheduled run",
  examples: ["keyhole keys rewrap"],
  async run({ profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    let rewrapped = 0;
    for (let remaining = 1; remaining > 0; progress(`${rewrapped} re-wrapped, ${remaining} to go …`)) {
      const batch = await client.keys.rewrap();
      rewrapped += batch.rewrapped;
      // A batch that does nothing leaves what is left to the scheduled run.
      remaining = batch.rewrapped > 0 ? batch.remaining : 0;
    }
    endProgress();
    if (json) printJson({ rewrapped });
    else note(`Re-wrapped ${rewrapped} data keys.`);
  },
});

/** `keyhole keys`. */
export const keys = command({
  description: "Show the keys of the keyring, and what is under each",
  examples: ["keyhole keys", "keyhole keys rewrap"],
  subCommands: { rewrap },
  async run({ profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const found = await client.keys.list();
    if (json) return printJson(found);
    printTable(
      ["KEY", "VERSIONS", "ARCHIVES", "SEALS", ""],
      found.map((key) => [key.id, String(key.versions), String(key.archives), String(key.seals), stateOf(key)]),
      "No keys.",
    );
  },
});

function stateOf({ current, available, versions, archives, seals }: KeysReply["keys"][number]): string {
  if (!available) return "not in the keyring, or wrong";
  if (current) return "current";
  return versions + archives + seals === 0 ? "free to go" : "";
}
