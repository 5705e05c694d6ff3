import { type Document, isMap, isScalar, parseAllDocuments, visit, type YAMLMap } from "yaml";
import { usageError } from "./cli-error.ts";

/** A reference in a text: which secret, and which part of the text is to become its value. */
export interface Reference {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** What a configuration file is written in. */
export type ConfigFormat = "yaml" | "json";

/**
 * Finds every `secret_key_ref: {store: NAME}`. Only their own parts of the text are replaced later, so comments, the
 * order of keys, quotes and indentation stay as they are.
 *
 * @throws {CliError} when the file cannot be parsed or something that begins as a reference is none.
 */
export function findReferences(text: string, format: ConfigFormat): Reference[] {
  if (format === "json") requireJson(text);
  const documents = parseAllDocuments(text, { keepSourceTokens: true, uniqueKeys: format === "yaml" });
  const references: Reference[] = [];
  for (const document of documents as Document.Parsed[]) {
    const [error] = document.errors;
    if (error)
      throw usageError(`the file is not ${format.toUpperCase()}: line ${error.linePos?.[0].line ?? "?"} cannot be read`, "fix it, or name its --format");
    visit(document, {
      Map(_, map) {
        if (!map.items.some(({ key }) => isScalar(key) && key.value === "secret_key_ref")) return undefined;
        references.push(toReference(map as YAMLMap, text));
        return visit.SKIP;
      },
    });
  }
  return references;
}

/** The text with each reference replaced by its value, in double quotes. */
export function fillReferences(text: string, format: ConfigFormat, references: readonly Reference[], values: ReadonlyMap<string, string>): string {
  const quote = format === "json" ? quoteForJson : quoteForYaml;
  let filled = "";
  let at = 0;
  for (const { name, start, end } of references) {
    const before = text.slice(at, start);
    filled += `${before}${before.endsWith(":") ? " " : ""}${quote(values.get(name) ?? "")}`;
    at = end;
  }
  return filled + text.slice(at);
}

function toReference(map: YAMLMap, text: string): Reference {
  const [start = 0] = map.range ?? [];
  const found = storeIn(map);
  if (found) return { name: found.name, start: map.flow ? start : startOfBlock(text, start), end: found.end };
  const line = text.slice(0, start).split("\n").length;
  throw usageError(
    `line ${line}: a secret_key_ref is {store: NAME} and has nothing beside it`,
    "give it a key of its own: api_key: {secret_key_ref: {store: NAME}}",
  );
}

/** The name in `{secret_key_ref: {store: NAME}}`, if the map is that and no more, and where its text ends. */
function storeIn(map: YAMLMap): { name: string; end: number } | undefined {
  const ref = onlyValue(map, "secret_key_ref");
  const store = isMap(ref) ? onlyValue(ref, "store") : undefined;
  if (!isMap(ref) || !isScalar(store) || typeof store.value !== "string") return undefined;
  // The range of a block takes in what follows it, comments too: it ends where what is in it does.
  const last = [map, ref].find(({ flow }) => flow) ?? store;
  return { name: store.value, end: last.range?.[1] ?? 0 };
}

/** The value of a map's only key, if that is `key`. */
function onlyValue({ items }: YAMLMap, key: string): unknown {
  const [pair] = items;
  return items.length === 1 && isScalar(pair?.key) && pair.key.value === key ? pair.value : undefined;
}

/** A block on the lines after its key moves up to the key: `api_key: "…"`. A comment in between keeps it where it is. */
function startOfBlock(text: string, start: number): number {
  const [blank = ""] = /[ \t]*\r?\n[ \t]*$/.exec(text.slice(0, start)) ?? [];
  return text.slice(0, start - blank.length).endsWith(":") ? start - blank.length : start;
}

/** A string in ASCII as JSON reads it. */
function quoteForJson(value: string): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`);
}

/** A string in ASCII as YAML reads it, of which not every parser joins two halves of a character. */
function quoteForYaml(value: string): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
  });
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}

function requireJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw usageError("the file is not JSON", "fix it, or name its --format");
  }
}
