import * as z from "zod";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { endProgress, note, printJson, progress } from "../output.ts";
import { printTable } from "../print-table.ts";
import { readText } from "../read-text.ts";
import { requireScope, SCOPE_ARG } from "../scope-args.ts";
import { openSession } from "../session.ts";

/** `keyhole import`. */
export const importFile = command({
  description: "Set every secret of a .env or JSON file, all of them or none",
  examples: ["keyhole import .env --scope namespace:dev", "keyhole import secrets.json --scope repo:acme/api --dry-run"],
  args: {
    file: { type: "positional", description: "a .env file, a .json file of names and values, or - for standard input" },
    ...SCOPE_ARG,
    format: { type: "enum", options: ["dotenv", "json"], description: "what the file is, when its name does not say" },
    "dry-run": { type: "boolean", description: "say what would happen and change nothing" },
  },
  async run({ file, scope, format: given, profile, insecure, json, ...options }) {
    requireScope(scope);
    const { client } = await openSession({ profile, insecure });
    const format = given ?? (file.endsWith(".json") ? "json" : "dotenv");
    const text = await readText(file, format);
    const dryRun = options["dry-run"] === true;
    progress("Importing …");
    const reply = await client.secrets.import(scope, format === "json" ? parseValues(text) : text, { dryRun });
    endProgress();
    if (json) return printJson(reply);
    const rows = (["created", "updated", "unchanged"] as const).flatMap((outcome) => reply[outcome].map((name) => [name, outcome]));
    printTable(["NAME", dryRun ? "WOULD BE" : ""], rows, "The file holds no secrets.");
    if (!dryRun) note(`${scope}: ${reply.created.length} created, ${reply.updated.length} updated, ${reply.unchanged.length} unchanged.`);
  },
});

const valuesSchema = z.record(z.string(), z.string());

function parseValues(text: string): Record<string, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // What the parser says would show a part of the file.
  }
  const values = valuesSchema.safeParse(parsed);
  if (!values.success) throw usageError("the file is not a JSON object of names and texts", 'for example {"OPENAI_API_KEY": "…"}');
  return values.data;
}
