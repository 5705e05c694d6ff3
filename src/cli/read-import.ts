import { parse as parseToml, TomlError } from "smol-toml";
import { isMap, isScalar, LineCounter, type Pair, parseDocument } from "yaml";
import { DOUBTS } from "../contract/import.ts";
import { usageError } from "./cli-error.ts";

/** What a file to be imported may be. */
export const IMPORT_FORMATS = ["dotenv", "json", "yaml", "toml"] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

/**
 * What a file is by its name.
 *
 * @throws {CliError} for a name that says something else: read as a `.env` file it would lose what is in it.
 */
export function importFormatOf(file: string): ImportFormat {
  const name = file.split(/[/\\]/).at(-1) ?? "";
  if (/\.json$/i.test(name)) return "json";
  if (/\.ya?ml$/i.test(name)) return "yaml";
  if (/\.toml$/i.test(name)) return "toml";
  if (/^\.env|\.env$/i.test(name) || !name.includes(".")) return "dotenv";
  throw usageError(`${file}: its name does not say what it is`, `name it with --format ${IMPORT_FORMATS.join(", ")}`);
}

/** What is wrong in a file, by line. */
interface Fault {
  readonly line: number | undefined;
  readonly detail: string;
}

/**
 * The names and values of a JSON, YAML or TOML file. Numbers and booleans of JSON and YAML are the text that they are
 * written as, a value that is not there is empty.
 *
 * @param allowDuplicates Whether a name may be given twice; the last value counts.
 * @throws {CliError} with everything that is wrong, by line, and nothing of the text.
 */
export function readValues(text: string, format: "json" | "yaml" | "toml", allowDuplicates: boolean): Record<string, string> {
  const faults: Fault[] = [];
  const values = format === "toml" ? readToml(text, faults) : readYaml(text, format, allowDuplicates, faults);
  if (faults.length > 0) throw refusal(format, faults);
  return values;
}

// JSON is YAML, too, whose parser says on which line what is, and how a number is written.
function readYaml(text: string, format: "json" | "yaml", allowDuplicates: boolean, faults: Fault[]): Record<string, string> {
  if (format === "json" && !isJson(text)) faults.push({ line: undefined, detail: "it is not JSON" });
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { uniqueKeys: !allowDuplicates, lineCounter, prettyErrors: false });
  const lineAt = (offset: number | undefined) => (offset === undefined ? undefined : lineCounter.linePos(offset).line);
  for (const { code, pos } of document.errors)
    faults.push({ line: lineAt(pos[0]), detail: code === "DUPLICATE_KEY" ? `${DOUBTS.duplicate} (--allow duplicate takes it so)` : "this is not read" });
  if (document.contents === null || faults.length > 0) return {};
  if (!isMap(document.contents)) {
    faults.push({ line: undefined, detail: "it is no list of names with their values" });
    return {};
  }
  return Object.fromEntries(document.contents.items.map((pair) => entryOf(pair, lineAt, faults)));
}

function entryOf({ key, value }: Pair, lineAt: (offset: number | undefined) => number | undefined, faults: Fault[]): [string, string] {
  const line = isScalar(key) ? lineAt(key.range?.[0]) : undefined;
  if (!isScalar(key) || typeof (key.source ?? key.value) !== "string") faults.push({ line, detail: "this is no name" });
  const name = isScalar(key) ? String(key.source ?? key.value) : "";
  if (value === null) return [name, ""];
  if (!isScalar(value) || value.tag !== undefined) {
    faults.push({ line, detail: "a value is text, a number or a boolean: nothing nested, no alias and no tag" });
    return [name, ""];
  }
  if (value.value === null) return [name, ""];
  return [name, typeof value.value === "string" ? value.value : (value.source ?? "")];
}

function readToml(text: string, faults: Fault[]): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(parseToml(text, { integersAsBigInt: true })).map(([name, value]) => [name, tomlText(name, value, faults)]));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    faults.push({ line: error.line, detail: "this is not TOML, or gives a name twice" });
    return {};
  }
}

/** TOML writes one number in several ways, and does not say in which: a value is text. */
function tomlText(name: string, value: unknown, faults: Fault[]): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  faults.push({ line: undefined, detail: `${name} is neither text nor a boolean: write it in quotes` });
  return "";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function refusal(format: string, faults: readonly Fault[]) {
  const places = faults.map(({ line, detail }) => (line === undefined ? detail : `line ${line}: ${detail}`));
  const example = { json: '{"OPENAI_API_KEY": "…"}', yaml: "OPENAI_API_KEY: '…'", toml: "OPENAI_API_KEY = '…'" }[format as "json"];
  return usageError("the file cannot be imported", `for example ${example}`, places);
}
