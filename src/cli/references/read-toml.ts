import { type AST, getStaticTOMLValue, ParseError, parseTOML } from "toml-eslint-parser";
import { usageError } from "../cli-error.ts";
import type { ConfigMember, ConfigNode, Span } from "./config-node.ts";
import { REF } from "./rules.ts";
import { unreadable } from "./unreadable.ts";

/**
 * A TOML text: what is at its top, and each of its tables.
 *
 * @throws {CliError} when it cannot be parsed, or has a reference in a form whose parts are not together.
 */
export function readToml(text: string): ConfigNode[] {
  const program = parse(text);
  const whole = getStaticTOMLValue(program);
  const [top] = program.body;
  const tables = top.body.filter((node) => node.type === "TOMLTable");
  const own = top.body.filter((node) => node.type === "TOMLKeyValue");
  return [toMap(undefined, own, Object.keys(whole)), ...tables.map((table) => toTable(table, whole))];
}

function parse(text: string): AST.TOMLProgram {
  try {
    return parseTOML(text, { tomlVersion: "1.0" });
  } catch (error) {
    if (error instanceof ParseError) throw unreadable("toml", error.lineNumber);
    throw error;
  }
}

function toTable({ key, resolvedKey, body }: AST.TOMLTable, whole: object): ConfigNode {
  if (resolvedKey.includes(REF)) throw notTogether(key.loc.start.line);
  const table = resolvedKey.reduce((node: unknown, part) => (node as Record<string | number, unknown>)[part], whole);
  return toMap(undefined, body, Object.keys(table as object));
}

function toNode(node: AST.TOMLContentNode): ConfigNode {
  if (node.type === "TOMLArray") return { kind: "other", items: node.elements.map(toNode) };
  if (node.type === "TOMLInlineTable")
    return toMap(
      spanOf(node),
      node.body,
      node.body.map(({ key }) => nameOf(key.keys[0])),
    );
  return node.kind === "string" ? { kind: "text", value: node.value, span: spanOf(node), block: false } : { kind: "other", items: [] };
}

function toMap(span: Span | undefined, body: readonly AST.TOMLKeyValue[], keys: readonly string[]): ConfigNode {
  return { kind: "map", span, members: body.map(toMember), keys, tagged: false, anchored: false };
}

function toMember({ key, value }: AST.TOMLKeyValue): ConfigMember {
  const names = key.keys.map(nameOf);
  const [first = "", ...rest] = names;
  const keySpan = spanOf(key);
  if (!names.includes(REF) || names.length === 1) return { key: names.join("."), keySpan, value: toNode(value), fixedKey: false };
  if (first !== REF || rest.length > 1) throw notTogether(key.loc.start.line);
  // secret_key_ref.store = "NAME"
  const store = { key: rest.join("."), keySpan, value: toNode(value), fixedKey: false };
  const ref: ConfigNode = { kind: "map", span: spanOf(value), members: [store], keys: rest, tagged: false, anchored: false };
  return { key: first, keySpan, value: ref, fixedKey: false };
}

function nameOf(key: AST.TOMLBare | AST.TOMLQuoted | undefined): string {
  return key?.type === "TOMLBare" ? key.name : (key?.value ?? "");
}

function spanOf({ range: [start, end] }: { range: [number, number] }): Span {
  return { start, end };
}

function notTogether(line: number) {
  return usageError(`line ${line}: this form of a ${REF} cannot be replaced`, `write ${REF} = { store = "NAME" } or ${REF}.store = "NAME" in the table itself`);
}
