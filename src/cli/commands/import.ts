import { dirname } from "node:path";
import { DOUBT_KINDS, type Doubt, SKIPPABLE, type Skippable } from "../../contract/import.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { exampleOf, writeExample } from "../example-file.ts";
import { EXIT } from "../exit-code.ts";
import { endProgress, note, printJson, progress } from "../output.ts";
import { printTable } from "../print-table.ts";
import { IMPORT_FORMATS, type ImportFormat, importFormatOf, readValues } from "../read-import.ts";
import { readText } from "../read-text.ts";
import { scopeToWrite, WRITE_SCOPE_ARG } from "../scope-args.ts";
import { openSession } from "../session.ts";
import { KV_VERSIONS } from "../vault/find-mount.ts";
import { importTree } from "../vault/import-tree.ts";
import { showImport } from "../vault/show-import.ts";

/** What only goes with a file, and what only goes with a Vault. */
const OF_A_FILE = ["scope", "format", "allow", "skip", "example"];
const OF_A_VAULT = ["path", "map", "overwrite", "kv-version"];

/** `keyhole import`. */
export const importSecrets = command({
  description: "Set every secret of a .env, JSON, YAML or TOML file, all of them or none; or move a tree of a Vault",
  examples: [
    "keyhole import .env --scope namespace:dev",
    "keyhole import secrets.json --scope repo:acme/api --dry-run",
    "keyhole import .env --scope namespace:dev --allow comment --skip empty --example",
    "keyhole import --from-vault https://vault.example:8200 secret --dry-run",
    "keyhole import --from-vault https://vault.example:8200 secret --path team-a --map team/pay/db=repo:pay/db",
  ],
  args: {
    file: {
      type: "positional",
      suggests: "file",
      description: "a .env file, a .json, .yaml or .toml file of names and values, or - for standard input; with --from-vault the mount",
    },
    ...WRITE_SCOPE_ARG,
    format: { type: "enum", options: [...IMPORT_FORMATS], description: "what the file is, when its name does not say" },
    allow: {
      type: "string",
      valueHint: "KIND",
      repeatable: true,
      description: `take what is likely meant in another way as it is read: ${DOUBT_KINDS.join(", ")}; docs/cli.md says what they are`,
    },
    skip: { type: "string", valueHint: "KIND", repeatable: true, description: `leave out instead of refusing: ${SKIPPABLE.join(", ")}` },
    "from-vault": {
      type: "string",
      valueHint: "ADDRESS",
      description: "move the current versions below a KV mount of the Vault or OpenBao there; its token comes from VAULT_TOKEN, BAO_TOKEN or ~/.vault-token",
    },
    path: { type: "string", valueHint: "PREFIX", description: "--from-vault: only this path and what is below it" },
    map: {
      type: "string",
      valueHint: "FROM=SCOPE",
      repeatable: true,
      description: "--from-vault: where a path goes; FROM/=repo:PATH/ for all below one; may be repeated",
    },
    overwrite: { type: "boolean", description: "--from-vault: replace values that differ" },
    "kv-version": { type: "enum", options: [...KV_VERSIONS], description: "--from-vault: the mount's version, where the token may not ask for it" },
    example: { type: "boolean", description: "also write the names, without values, to .env.example beside the file" },
    "dry-run": { type: "boolean", description: "say what would happen and change nothing" },
  },
  async run({ file, scope: wanted, format: given, profile, insecure, json, ...options }, { all, each }) {
    const address = options["from-vault"];
    const others = (address === undefined ? OF_A_VAULT : OF_A_FILE).filter((option) => each(option).length > 0);
    if (others.length > 0)
      throw usageError(`--${others[0]} does not go with ${address === undefined ? "a file" : "--from-vault"}`, "`keyhole import --help` shows what does");
    if (address !== undefined) {
      const { path, overwrite = false, "kv-version": version, "dry-run": dryRun = false } = options;
      const given = { address, mount: file, version, path, placements: each("map"), overwrite, dryRun, insecure };
      return showImport({ dryRun, overwrite, json }, (take) => importTree(given, async () => (await openSession({ profile, insecure })).client, take));
    }
    const scope = await scopeToWrite(wanted);
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
    const failed = reply.failed ?? [];
    const exit = failed.length > 0 ? EXIT.incomplete : EXIT.ok;
    const names = [...reply.created, ...reply.updated, ...reply.unchanged].sort();
    if (options.example && !dryRun) writeExample(file === "-" ? "." : dirname(file), exampleOf(names, []));
    if (json) {
      printJson(reply);
      return exit;
    }
    const rows = (["created", "updated", "unchanged"] as const).flatMap((outcome) => reply[outcome].map((name) => [name, outcome]));
    const skipped = (reply.skipped ?? []).map(({ name, reason }) => [name, `skipped: ${reason}`]);
    printTable(
      ["NAME", dryRun ? "WOULD BE" : ""],
      [...rows, ...skipped, ...failed.map(({ name, code }) => [name, `failed: ${code}`])],
      "The file holds no secrets.",
    );
    if (!dryRun) note(`${scope}: ${reply.created.length} created, ${reply.updated.length} updated, ${reply.unchanged.length} unchanged.`);
    for (const { name, detail } of failed) note(`${name}: ${detail}`);
    return exit;
  },
});

function kindsOf<Kind extends string>(option: string, given: readonly string[], kinds: readonly Kind[]): Kind[] {
  const unknown = given.find((kind) => !(kinds as readonly string[]).includes(kind));
  if (unknown !== undefined) throw usageError(`${option}: there is no kind ${unknown}`, `the kinds are ${kinds.join(", ")}`);
  return given as Kind[];
}
