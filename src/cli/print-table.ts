import Table from "cli-table3";
import { clean, dataColors, note, printLine } from "./output.ts";

const NO_LINES = Object.fromEntries(
  [
    "top",
    "top-mid",
    "top-left",
    "top-right",
    "bottom",
    "bottom-mid",
    "bottom-left",
    "bottom-right",
    "left",
    "left-mid",
    "mid",
    "mid-mid",
    "right",
    "right-mid",
  ].map((part) => [part, ""]),
);

/** Prints rows under their heads; says `empty` where there are none. */
export function printTable(heads: readonly string[], rows: readonly (readonly string[])[], empty: string): void {
  if (rows.length === 0) note(empty);
  else printLine(layOut([heads.map((head) => dataColors.dim(head)), ...rows.map((row) => row.map(clean))]));
}

/** Prints what is known of one thing, a line for each. */
export function printFields(fields: readonly (readonly [name: string, value: string])[]): void {
  printLine(layOut(fields.map(([name, value]) => [dataColors.dim(name), clean(value)])));
}

function layOut(rows: readonly (readonly string[])[]): string {
  const table = new Table({ chars: { ...NO_LINES, middle: "  " }, style: { "padding-left": 0, "padding-right": 0, head: [], border: [] } });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
