import { namesInText } from "../../client/text-references.ts";
import type { ConfigMap, ConfigMember, ConfigNode, ConfigText, Span } from "./config-node.ts";
import { readJson } from "./read-json.ts";
import { readToml } from "./read-toml.ts";
import { readYaml } from "./read-yaml.ts";
import { isAlone, lineAt, nameIn, REF, type Refuse, refuseIn, refuseMerged } from "./rules.ts";

/** What a configuration file is written in. */
export type ConfigFormat = "yaml" | "json" | "jsonc" | "toml";

/** A part of the text, and what becomes of it: a value, another key, or a text with values in it. */
export type Edit = Span & ({ readonly value: string } | { readonly key: string } | { readonly text: ConfigText });

/** What there is in a text. */
export interface Found {
  /** The name of each reference, in the order of the text. */
  readonly names: readonly string[];
  readonly edits: readonly Edit[];
  /** What reads as a reference and stays as it is, for people. */
  readonly unfilled: readonly string[];
}

/**
 * Finds every `secret_key_ref: {store: NAME}`, alone or beside other keys, and every `${keyhole:NAME}` in a text. Only their
 * own parts of the file are replaced later, so comments, the order of keys, quotes and indentation stay as they are.
 *
 * @param as The key that takes the place of a `secret_key_ref` that has keys beside it.
 * @throws {CliError} when the file cannot be parsed, or something that begins as a reference is none that can be replaced.
 */
export function findReferences(text: string, format: ConfigFormat, as: string): Found {
  const found = { names: [] as string[], edits: [] as Edit[], unfilled: [] as string[] };
  const search: Search = { ...found, as, refuse: refuseIn(text), line: (span) => lineAt(text, span.start), within: withinOf(text) };
  for (const node of read(text, format)) visit(search, node);
  found.edits.sort((a, b) => a.start - b.start);
  return found;
}

function read(text: string, format: ConfigFormat): ConfigNode[] {
  if (format === "toml") return readToml(text);
  return format === "yaml" ? readYaml(text, format) : readJson(text, format === "jsonc");
}

interface Search {
  readonly names: string[];
  readonly edits: Edit[];
  readonly unfilled: string[];
  readonly as: string;
  readonly refuse: Refuse;
  line(span: Span): number;
  /** Where something is within a part of the file as it is written. */
  within(span: Span, what: RegExp): { span: Span; text: string }[];
}

function withinOf(file: string): Search["within"] {
  return ({ start, end }, what) =>
    [...file.slice(start, end).matchAll(what)].map(({ index, 0: text }) => ({ span: { start: start + index, end: start + index + text.length }, text }));
}

function visit(search: Search, node: ConfigNode): void {
  if (node.kind === "text") visitText(search, node);
  if (node.kind === "other") for (const item of node.items) visit(search, item);
  if (node.kind === "map") visitMap(search, node);
}

function visitMap(search: Search, node: ConfigMap): void {
  const [ref, second] = node.members.filter(({ key }) => key === REF);
  if (second) throw search.refuse(second.keySpan, `there are two of ${REF}`, "leave one out");
  for (const member of node.members) {
    if (member !== ref) visitMember(search, member);
    else if (isAlone(node)) replaceWhole(search, node, member);
    else replacePair(search, node, member);
  }
}

function visitMember(search: Search, member: ConfigMember): void {
  refuseMerged(member, search.refuse);
  if (member.key.includes("${keyhole:")) search.unfilled.push(`line ${search.line(member.keySpan)}: a key stays as it is; only what it stands for is filled`);
  visit(search, member.value);
}

function replaceWhole(search: Search, { span, tagged }: ConfigMap, ref: ConfigMember): void {
  const { keySpan } = ref;
  const name = nameIn(ref, search.refuse);
  if (span === undefined)
    throw search.refuse(keySpan, `a table with nothing but a ${REF} cannot become a value`, `write KEY = { ${REF} = { store = "NAME" } } in the table above`);
  if (tagged) throw search.refuse(keySpan, `the mapping around this ${REF} has a tag (!), which its value would not fit`, "leave the tag out");
  search.names.push(name);
  search.edits.push({ ...span, value: name });
}

function replacePair(search: Search, { keys }: ConfigMap, ref: ConfigMember): void {
  const { as, refuse } = search;
  const name = nameIn(ref, refuse);
  if (keys.includes(as)) throw refuse(ref.keySpan, `${as} is there already`, "name the key that it becomes with --as KEY");
  search.names.push(name);
  search.edits.push({ ...ref.keySpan, key: as });
  if (ref.value.kind === "map" && ref.value.span) search.edits.push({ ...ref.value.span, value: name });
}

/** How a reference begins in a text that is a configuration itself. */
const NESTED = new RegExp(`\\b${REF}\\b\\\\?["']?\\s*[.:=]`, "g");

function visitText(search: Search, text: ConfigText): void {
  for (const { span } of search.within(text.span, NESTED))
    search.unfilled.push(`line ${search.line(span)}: a ${REF} within a text stays as it is; there, write \${keyhole:NAME}`);
  const names = namesOf(search, text);
  search.names.push(...names);
  if (names.length > 0) search.edits.push({ ...text.span, text });
}

function namesOf({ refuse, within }: Search, { value, span }: ConfigText): string[] {
  try {
    return namesInText(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const wrong = within(span, /\$\{keyhole:[^}]*\}?/g).find((match) => !isWhole(match.text));
    throw refuse(wrong?.span ?? span, error.message, "fix the reference in this text");
  }
}

function isWhole(reference: string): boolean {
  return /^\$\{keyhole:[\w.-]+\}$/.test(reference);
}
