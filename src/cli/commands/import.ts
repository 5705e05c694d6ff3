import { DOUBT_KINDS, type Doubt, SKIPPABLE, type Skippable } from "../../contract/import.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { endProgress, note, printJson, progress } from "../output.ts";
import { printTable } from "../print-table.ts";
import { IMPORT_FORMATS, type ImportFormat, importFormatOf, readValues } from "../read-import.ts";
import { readText } from "../read-text.ts";
import { requireScope, SCOPE_ARG } from "../scope-args.ts";
import { openSession } from "../session.ts";

/** `keyhole import`. */
export const importFile = command({
  description: "Set every secret of a .env, JSON, YAML or TOML file, all of them or none",
  examples: [
    "keyhole import .env --scope namespace:dev",
    "keyhole import secrets.json --scope repo:acme/api --dry-run",
    "keyhole import .env --allow comment --skip empty",
  ],
  args: {
    file: { type: "positional", description: "a .env file, a .json, .yaml or .toml file of names and values, or - for standard input" },
    ...SCOPE_ARG,
    format: { type: "enum", options: [...IMPORT_FORMATS], description: "what the file is, when its name does not say" },
    allow: {
      type: "string",
      valueHint: "KIND",
      description: `take what is likely meant in another way as it is read: ${DOUBT_KINDS.join(", ")}; docs/cli.md says what they are`,
    },
    skip: { type: "string", valueHint: "KIND", description: `leave out instead of refusing: ${SKIPPABLE.join(", ")}` },
    "dry-run": { type: "boolean", description: "say what would happen and change nothing" },
  },
  async run({ file, scope, format: given, profile, insecure, json, ...options }, { all }) {
    requireScope(scope);
    const { client } = await openSession({ profile, insecure });
    const allow = kindsOf<Doubt>("--allow", all("allow"), DOUBT_KINDS);
    const skip = kindsOf<Skippable>("--skip", all("skip"), SKIPPABLE);
    const format = (given as ImportFormat | undefined) ?? (file === "-" ? "dotenv" : importFormatOf(file));
    const text = await readText(file, format);
    const secrets = format === "dotenv" ? text : readValues(text, format, allow.includes("duplicate"));
    const dryRun = options["dry-run"] === true;
    progress("Importing …");
    const reply = await client.secrets.import(scope, secrets, { dryRun, allow, skip });
    endProgress();
    if (json) return printJson(reply);
    const rows = (["created", "updated", "unchanged"] as const).flatMap((outcome) => reply[outcome].map((name) => [name, outcome]));
    const skipped = (reply.skipped ?? []).map(({ name, reason }) => [name, `skipped: ${reason}`]);
    printTable(["NAME", dryRun ? "WOULD BE" : ""], [...rows, ...skipped], "The file holds no secrets.");
    if (!dryRun) note(`${scope}: ${reply.created.length} created, ${reply.updated.length} updated, ${reply.unchanged.length} unchanged.`);
  },
});

function kindsOf<Kind extends string>(option: string, given: readonly string[], kinds: readonly Kind[]): Kind[] {
  const unknown = given.find((kind) => !(kinds as readonly string[]).includes(kind));
  if (unknown !== undefined) throw usageError(`${option}: there is no kind ${unknown}`, `the kinds are ${kinds.join(", ")}`);
  return given as Kind[];
}
