import type { QuotasBody } from "../../client/create-client.ts";
import { QUOTA_NAMES, type Quota } from "../../contract/quota.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { note, printJson } from "../output.ts";
import { printTable } from "../print-table.ts";
import { openSession } from "../session.ts";

const ORG_ARG = { org: { type: "positional", description: "the organization" } } as const;

const get = command({
  description: "Show what an organization may have, and what of that was set for it alone",
  examples: ["keyhole admin quota get acme"],
  args: ORG_ARG,
  async run({ org, profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const found = await client.quotas.get(org);
    if (json) printJson(found);
    else show(found);
  },
});

const put = command({
  description: "Set what an organization may have where that is not what every organization may; all at once, what is not named is as usual",
  examples: ["keyhole admin quota put acme --quota secrets=50000 --quota events_per_minute=60000", "keyhole admin quota put acme --reset"],
  args: {
    ...ORG_ARG,
    quota: { type: "string", valueHint: "NAME=NUMBER", repeatable: true, description: `how much of what; may be repeated; one of ${QUOTA_NAMES.join(", ")}` },
    reset: { type: "boolean", description: "nothing of its own any more" },
  },
  async run({ org, reset, profile, insecure, json }, { each }) {
    const own = Object.fromEntries(each("quota").map(splitQuota));
    if (Object.keys(own).length > 0 === (reset === true)) throw usageError("either --quota or --reset", "for example --quota secrets=50000");
    const { client } = await openSession({ profile, insecure });
    const set = await client.quotas.put(org, own);
    if (json) return printJson(set);
    show(set);
    note(reset ? `${org} may have what every organization may.` : `Set for ${org}, in force at once, on record in both logs.`);
  },
});

function splitQuota(text: string): [Quota, number] {
  const [, name = "", number = ""] = /^([a-z_]+)=(\d{1,15})$/.exec(text) ?? [];
  const quota = QUOTA_NAMES.find((each) => each === name);
  if (quota === undefined) throw usageError(`--quota ${JSON.stringify(text)} is none`, `NAME=NUMBER, with one of: ${QUOTA_NAMES.join(", ")}`);
  return [quota, Number(number)];
}

function show({ own, quotas }: QuotasBody): void {
  const rows = QUOTA_NAMES.map((quota) => [quota, String(quotas[quota]), own[quota] === undefined ? "" : "its own"]);
  printTable(["QUOTA", "LIMIT", ""], rows, "No quotas.");
}

/** `keyhole admin quota`. */
export const adminQuota = command({
  description: "What organizations may have, for the operator of the deployment",
  examples: ["keyhole admin quota get acme"],
  subCommands: { get, put },
});
