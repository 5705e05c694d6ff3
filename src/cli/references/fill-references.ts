import { resolvedValue } from "../../client/resolve-refs.ts";
import { fillText, namesInText } from "../../client/text-references.ts";
import type { ConfigText } from "./config-node.ts";
import type { ConfigFormat, Edit } from "./find-references.ts";
import { quote } from "./quote.ts";

/** The text with its references replaced by values, which are in double quotes. */
export function fillReferences(text: string, format: ConfigFormat, edits: readonly Edit[], values: ReadonlyMap<string, string>): string {
  let filled = "";
  let at = 0;
  for (const edit of edits) {
    const before = text.slice(at, edit.start);
    const source = text.slice(edit.start, edit.end);
    filled += `${before}${before.endsWith(":") ? " " : ""}${written(edit, source, format, values)}`;
    at = edit.end;
  }
  return filled + text.slice(at);
}

function written(edit: Edit, source: string, format: ConfigFormat, values: ReadonlyMap<string, string>): string {
  if ("value" in edit) return quote(format, resolvedValue(values, edit.value));
  if ("key" in edit) return format === "json" || format === "jsonc" ? JSON.stringify(edit.key) : edit.key;
  return textWith(edit.text, source, format, values);
}

/** A value that reads the same within a block of lines as it is: one line, of characters that every parser takes, and no mark of a document. */
const TAME = /^(?!---|\.\.\.)[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

function textWith({ value, block }: ConfigText, source: string, format: ConfigFormat, values: ReadonlyMap<string, string>): string {
  const lookUp = (name: string) => resolvedValue(values, name);
  if (block && namesInText(value).every((name) => TAME.test(lookUp(name)))) {
    // What is on the line of its `|` or `>` is a comment, where a reference is none.
    const begin = source.indexOf("\n") + 1;
    return source.slice(0, begin) + fillText(source.slice(begin), lookUp);
  }
  // The block takes in the line ends after it, which go on to the next line.
  const [ends = ""] = block ? (/(?:\r?\n[ \t]*)*$/.exec(source) ?? []) : [];
  const [, comment = ""] = block ? (/^[^\r\n]*?([ \t]+#[^\r\n]*)/.exec(source) ?? []) : [];
  return quote(format, fillText(value, lookUp)) + comment + ends;
}
