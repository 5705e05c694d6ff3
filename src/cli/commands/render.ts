import { resolve as absolute, dirname } from "node:path";
import { resolveNames } from "../../client/resolve-refs.ts";
import { writePrivateFile } from "../config-folder.ts";
import { command } from "../define-command.ts";
import type { ConfigFormat } from "../fill-references.ts";
import { locating } from "../locate.ts";
import { note, print, printJson } from "../output.ts";
import { readText } from "../read-text.ts";
import { SCOPES_ARG, scopesOf } from "../scope-args.ts";
import { openSession } from "../session.ts";

/** `keyhole render`. */
export const render = command({
  description: "Fill a JSON or YAML configuration: every `secret_key_ref: {store: NAME}` becomes the value",
  examples: ["keyhole render gateway.yaml --scope namespace:prod --out gateway.live.yaml", "keyhole render gateway.json --check"],
  args: {
    file: { type: "positional", description: "a .yaml, .yml or .json file, or - for standard input" },
    ...SCOPES_ARG,
    check: { type: "boolean", description: "only make sure that every reference resolves; print no value" },
    out: { type: "string", valueHint: "PATH", description: "write to this file, which only you may read, in place of standard output" },
    format: { type: "enum", options: ["yaml", "json"], description: "what the file is, when its name does not say" },
  },
  async run({ file, check, out, format: given, profile, insecure, json }, { all }) {
    const format = formatOf(file, given);
    const text = await readText(file, format);
    // The YAML parser is loaded when it is needed: every other command starts faster without it.
    const { fillReferences, findReferences } = await import("../fill-references.ts");
    const references = findReferences(text, format);
    const names = [...new Set(references.map(({ name }) => name))];
    const { client } = await openSession({ profile, insecure });
    const scopes = scopesOf(all("scope"));
    const values = await locating(client, names, scopes ?? [], () => resolveNames(client, names, { scopes }));
    if (check) return json ? printJson({ references: references.length, names }) : note(`All ${references.length} references resolve.`);
    const filled = fillReferences(text, format, references, values);
    if (out === undefined) return print(filled);
    writePrivateFile(out, filled, dirname(absolute(out)));
    if (json) printJson({ written: out, references: references.length, names });
    else note(`Wrote ${out} with ${references.length} values.`);
  },
});

function formatOf(file: string, given: string | undefined): ConfigFormat {
  return (given ?? (file.endsWith(".json") ? "json" : "yaml")) === "json" ? "json" : "yaml";
}
