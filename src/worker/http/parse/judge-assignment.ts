import type { Doubt } from "../../../contract/import.ts";

/** A value in quotes as dotenv reads one: the quotes, and nothing after them but a comment. */
const QUOTED = /^(?:'((?:\\'|[^'])*)'|"((?:\\"|[^"])*)"|`((?:\\`|[^`])*)`)[^\S\n]*(?:#[^\n]*)?(?:\n|$)/;

/**
 * What of an assignment is likely meant in another way than dotenv reads it.
 *
 * @param text What comes after the name: `=` or `:`, the value, and all lines up to the next assignment, with `\n` between them.
 */
export function judgeAssignment(text: string): Doubt[] {
  const value = text.replace(/^\s*[=:]/, "");
  const [, single, double, ticked] = QUOTED.exec(value.trimStart()) ?? [];
  if (single !== undefined) return [];
  const [line = ""] = value.split("\n", 1);
  const quoted = double ?? ticked;
  const read = quoted ?? line;
  return [
    ...(quoted === undefined && line.includes("#") ? (["comment"] as const) : []),
    ...(double?.includes('\\"') ? (["escape"] as const) : []),
    ...(/\$[{(]/.test(read) ? (["expansion"] as const) : []),
  ];
}
