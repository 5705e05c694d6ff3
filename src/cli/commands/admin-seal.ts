import type { UnsealedReply } from "../../client/create-client.ts";
import { CliError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { EXIT } from "../exit-code.ts";
import { note, printJson } from "../output.ts";
import { printTable } from "../print-table.ts";
import { askToConfirm } from "../prompt.ts";
import { openSession } from "../session.ts";

/** `keyhole admin seal`. */
export const adminSeal = command({
  description: "Show rows of the database that have no seal of their own, and seal those that you confirm",
  examples: ["keyhole admin seal", "keyhole admin seal --digest DIGEST --yes"],
  args: {
    digest: { type: "string", valueHint: "DIGEST", description: "seal only what has this digest, as shown before" },
    yes: { type: "boolean", alias: "y", description: "do not ask" },
  },
  async run({ profile, insecure, json, digest, yes }) {
    const { client } = await openSession({ profile, insecure });
    const found = await client.seals.list();
    if (!json) show(found);
    if (found.rows.length === 0) return json ? printJson({ ...found, sealed: 0 }) : undefined;
    if (digest !== undefined && digest !== found.digest)
      throw new CliError("these are not the rows that the digest stands for", "look at them again: keyhole admin seal", EXIT.failed);
    await askToConfirm(`Seal ${found.rows.length === 1 ? "this row" : `these ${found.rows.length} rows`} as shown?`, yes);
    const { sealed, more } = await client.seals.confirm(found.digest);
    if (json) printJson({ ...found, sealed });
    else note(`Sealed ${sealed}.${more ? " There are more: run it again." : ""}`);
  },
});

function show({ rows, digest }: UnsealedReply): void {
  const lines = rows.map(({ table, org, columns, broken }) => [table, org, describeColumns(columns), broken ? "a seal that is not its own" : "no seal"]);
  printTable(["TABLE", "ORGANIZATION", "WHAT IT SAYS", "WHY"], lines, "Every row has its seal.");
  if (rows.length > 0) note(`Digest: ${digest}`);
}

function describeColumns(columns: UnsealedReply["rows"][number]["columns"]): string {
  return Object.entries(columns)
    .filter(([column, value]) => column !== "org" && value !== null)
    .map(([column, value]) => `${column}=${value}`)
    .join(" ");
}
