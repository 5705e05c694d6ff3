import { QUOTA_NAMES } from "../../contract/quota.ts";
import { command } from "../define-command.ts";
import { printJson } from "../output.ts";
import { printTable } from "../print-table.ts";
import { openSession } from "../session.ts";

/** `keyhole usage`. */
export const usage = command({
  description: "Show what your organization has, and how much it may have",
  examples: ["keyhole usage"],
  async run({ profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const reply = await client.usage();
    if (json) return printJson(reply);
    const rows = QUOTA_NAMES.map((quota) => [quota, String(reply.usage[quota].used), String(reply.usage[quota].limit)]);
    printTable(["QUOTA", "USED", "LIMIT"], rows, "Nothing.");
  },
});
