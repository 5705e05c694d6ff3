import type { Stats } from "node:fs";
import { resolveNames, USUAL_KEY } from "../../client/resolve-refs.ts";
import { CliError, usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { STRICT_ARG, tellEmptyScopes } from "../empty-scopes.ts";
import { locating } from "../locate.ts";
import { note, print, printJson } from "../output.ts";
import { readText } from "../read-text.ts";
import type { ConfigFormat } from "../references/find-references.ts";
import { SCOPES_ARG, scopesOf } from "../scope-args.ts";
import { openSession } from "../session.ts";
import { openTo, parseMode, writeOutput } from "../write-output.ts";

const FORMATS: ConfigFormat[] = ["yaml", "json", "jsonc", "toml"];

/** `keyhole render`. */
export const render = command({
  description: "Fill a configuration: `secret_key_ref: {store: NAME}` and, within a text, `${keyhole:NAME}` become values",
  examples: ["keyhole render gateway.yaml --scope namespace:prod --out gateway.live.yaml", "keyhole render gateway.json --check"],
  args: {
    file: { type: "positional", suggests: "file", description: "a .yaml, .yml, .json, .jsonc or .toml file, or - for standard input" },
    ...SCOPES_ARG,
    ...STRICT_ARG,
    as: { type: "string", valueHint: "KEY", default: USUAL_KEY, description: "the key that a secret_key_ref with other keys beside it becomes" },
    check: { type: "boolean", description: "only make sure that every reference resolves; print no value" },
    out: { type: "string", valueHint: "PATH", description: "write to this file in place of standard output; a new one only you may read" },
    mode: { type: "string", valueHint: "MODE", description: "the mode of the file that --out writes, such as 640 [600, or that of the file it replaces]" },
    format: { type: "enum", options: FORMATS, description: "what the file is, when its name does not say" },
  },
  async run({ file, check, out, as, mode: wanted, format: given, profile, insecure, json, strict }, { all }) {
    const mode = parseMode(wanted);
    if (mode !== undefined && out === undefined) throw usageError("--mode is for a file", "name one with --out");
    const format = given ?? FORMATS.find((format) => file.endsWith(`.${format}`)) ?? "yaml";
    const text = await readText(file, format);
    // The parsers are loaded when they are needed: every other command starts faster without them.
    const { fillReferences } = await import("../references/fill-references.ts");
    const { findReferences } = await import("../references/find-references.ts");
    const { names: found, edits, unfilled } = findReferences(text, format, requireKey(as));
    for (const what of unfilled) note(`warning: ${what}`);
    const names = [...new Set(found)];
    const session = await openSession({ profile, insecure, onEmptyScopes: (scopes) => tellEmptyScopes(session, scopes, strict) });
    const { client } = session;
    const scopes = scopesOf(all("scope"));
    const values = await locating(client, names, scopes ?? [], () => resolveNames(client, names, { scopes }));
    if (check) return endCheck(found, names, unfilled, json === true);
    const filled = fillReferences(text, format, edits, values);
    if (out === undefined) return print(filled);
    const written = writeOutput(out, filled, mode);
    if (written && mode === undefined) warnIfOpen(out, written);
    if (json) printJson({ written: out, references: found.length, names });
    else note(`Wrote ${out} with ${found.length} values.`);
  },
});

function endCheck(found: readonly string[], names: readonly string[], unfilled: readonly string[], json: boolean): void {
  if (unfilled.length > 0) throw new CliError("not every reference would be filled", "the warnings above say which, and what to write");
  if (json) printJson({ references: found.length, names });
  else note(`All ${found.length} references resolve.`);
}

/** A file that is replaced keeps its owner and its mode, which may be those of one without values. */
function warnIfOpen(out: string, written: Stats): void {
  const others = openTo(written);
  if (others === undefined) return;
  const change = written.uid === process.getuid?.() ? "--mode 600 changes that" : "remove it first, and it is yours alone";
  note(`warning: ${out} stays open to ${others} (mode ${(written.mode & 0o777).toString(8)}); ${change}`);
}

/** A key that is written the same, without quotes, in every format. */
function requireKey(key: string): string {
  if (/^(?!(?:true|false|null|yes|no|on|off|y|n|__proto__)$)[a-z_][\w-]{0,127}$/i.test(key)) return key;
  throw usageError("--as is a key", "letters, digits, '_' and '-', the first a letter or '_'; not true, null, yes or the like");
}
