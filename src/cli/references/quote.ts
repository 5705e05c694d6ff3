import type { ConfigFormat } from "./find-references.ts";

/** A text in double quotes and ASCII, as every parser of the format reads it. */
export function quote(format: ConfigFormat, value: string): string {
  return format === "json" || format === "jsonc" ? quoteByUnits(value) : quoteByCharacters(value);
}

function quoteByUnits(value: string): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`);
}

/** YAML and TOML: not every parser of theirs joins two halves of a character. */
function quoteByCharacters(value: string): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
  });
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
