import { type Document, isAlias, isCollection, isMap, isScalar, type Node, type Pair, parseAllDocuments, Scalar, type YAMLMap } from "yaml";
import type { ConfigMember, ConfigNode, Span } from "./config-node.ts";
import { unreadable } from "./unreadable.ts";

/**
 * The documents of a YAML text. JSON is one, too.
 *
 * @throws {CliError} when it cannot be parsed.
 */
export function readYaml(text: string, format: "yaml" | "json"): ConfigNode[] {
  const documents = parseAllDocuments(text, { keepSourceTokens: true, uniqueKeys: format === "yaml" }) as Document.Parsed[];
  return documents.map((document) => {
    const [error] = document.errors;
    if (error) throw unreadable(format, error.linePos?.[0].line);
    return toNode({ document, text }, document.contents);
  });
}

interface Source {
  readonly document: Document.Parsed;
  readonly text: string;
}

function toNode(source: Source, node: unknown): ConfigNode {
  if (isMap(node)) return toMap(source, node);
  if (isScalar(node) && typeof node.value === "string") return { kind: "text", value: node.value, span: spanOf(node), block: isBlock(node) };
  if (isAlias(node)) {
    const target = node.resolve(source.document);
    return { kind: "alias", span: spanOf(node), target: isMap(target) ? toMap(source, target) : undefined };
  }
  return { kind: "other", items: isCollection(node) ? node.items.map((item) => toNode(source, item)) : [] };
}

function toMap(source: Source, map: YAMLMap): ConfigNode {
  const members = map.items.map((pair) => toMember(source, pair));
  const { start } = spanOf(map);
  const span = { start: map.flow ? start : startOfBlock(source.text, start), end: endOf(map) };
  return { kind: "map", span, members, keys: members.map(({ key }) => key), tagged: map.tag !== undefined, anchored: map.anchor !== undefined };
}

function toMember(source: Source, { key, value, srcToken }: Pair): ConfigMember {
  const explicit = srcToken?.start?.some(({ type }) => type === "explicit-key-ind") ?? false;
  const marked = isScalar(key) && (key.anchor !== undefined || key.tag !== undefined);
  const name = isScalar(key) ? String(key.value) : "";
  return { key: name, keySpan: spanOf(key as Node), value: toNode(source, value), fixedKey: explicit || marked };
}

function spanOf(node: Node | null): Span {
  const [start = 0, end = start] = node?.range ?? [];
  return { start, end };
}

/** The range of a block takes in what follows it, comments too: it ends where what is in it does. */
function endOf(node: Node): number {
  if (!isCollection(node) || node.flow) return spanOf(node).end;
  const last = node.items.at(-1) as Pair | Node | undefined;
  const inside = isMap(node) ? ((last as Pair).value ?? (last as Pair).key) : last;
  return inside ? endOf(inside as Node) : spanOf(node).end;
}

/** A block on the lines after its key moves up to the key: `api_key: "…"`. A comment in between keeps it where it is. */
function startOfBlock(text: string, start: number): number {
  const [blank = ""] = /[ \t]*\r?\n[ \t]*$/.exec(text.slice(0, start)) ?? [];
  return text.slice(0, start - blank.length).endsWith(":") ? start - blank.length : start;
}

function isBlock({ type }: Scalar): boolean {
  return type === Scalar.BLOCK_LITERAL || type === Scalar.BLOCK_FOLDED;
}
