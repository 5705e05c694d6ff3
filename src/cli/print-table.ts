import stringWidth from "fast-string-width";
import { clean, dataColors, note, printLine } from "./output.ts";

/** Prints rows under their heads; says `empty` where there are none. */
export function printTable(heads: readonly string[], rows: readonly (readonly string[])[], empty: string): void {
  if (rows.length === 0) note(empty);
  else printLine(layOut([heads.map((head) => dataColors.dim(head)), ...rows.map((row) => row.map(clean))]));
}

/** Prints what is known of one thing, a line for each. */
export function printFields(fields: readonly (readonly [name: string, value: string])[]): void {
  printLine(layOut(fields.map(([name, value]) => [dataColors.dim(name), clean(value)])));
}

/** Rows with their cells in columns: each as wide as its widest cell looks on a terminal, two spaces apart. */
function layOut(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => stringWidth(row[column] ?? ""))));
  const pad = (cell: string, column: number) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - stringWidth(cell)));
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}
