import truncatedWidth from "fast-string-truncated-width";
import { clean, dataColors, note, printLine } from "./output.ts";

/** What stands between two columns. */
const GAP = "  ";
/** How narrow a column may become. */
const NARROWEST = 8;

/** Prints rows under their heads, as wide as the terminal at the most; says `empty` where there are none. */
export function printTable(heads: readonly string[], rows: readonly (readonly string[])[], empty: string): void {
  if (rows.length === 0) note(empty);
  else printRows(heads, rows);
}

function printRows(heads: readonly string[], rows: readonly (readonly string[])[]): void {
  const cells = [heads, ...rows.map((row) => row.map(clean))];
  const natural = heads.map((_, column) => Math.max(...cells.map((row) => widthOf(row[column] ?? ""))));
  const widths = columnWidths(natural, process.stdout.isTTY ? process.stdout.columns : undefined);
  const [head = "", ...lines] = cells.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
  printLine([dataColors.dim(head), ...lines].join("\n"));
}

/** Prints what is known of one thing, a line for each; on a terminal what is longer goes on below itself. */
export function printFields(fields: readonly (readonly [name: string, value: string])[]): void {
  const first = Math.max(...fields.map(([name]) => widthOf(name)));
  const left = process.stdout.isTTY ? Math.max(NARROWEST, process.stdout.columns - first - GAP.length) : Number.POSITIVE_INFINITY;
  const below = `\n${" ".repeat(first)}${GAP}`;
  const lines = fields.map(([name, value]) => `${dataColors.dim(pad(name, first))}${GAP}${wrap(clean(value), left).join(below)}`.trimEnd());
  printLine(lines.join("\n"));
}

/** The widths that columns have in all so many: the widest ones give way, all to the same. A pipe has no width. */
export function columnWidths(natural: readonly number[], columns: number | undefined): readonly number[] {
  const room = (columns ?? Number.POSITIVE_INFINITY) - GAP.length * (natural.length - 1);
  const total = (most: number) => natural.reduce((sum, width) => sum + Math.min(width, most), 0);
  let most = Math.max(...natural);
  while (most > NARROWEST && total(most) > room) most--;
  return natural.map((width) => Math.min(width, most));
}

/** Words in lines of so much width. A word that is wider than that stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && widthOf(line) + 1 + widthOf(word) <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function widthOf(text: string): number {
  return truncatedWidth(text).width;
}

/** A cell that is just so wide as it looks on a terminal: filled up, or cut with an ellipsis. */
function pad(cell: string, width: number): string {
  const { index, truncated, width: shown } = truncatedWidth(cell, { limit: width, ellipsis: "…", ellipsisWidth: 1 });
  const text = truncated ? `${cell.slice(0, index)}…` : cell;
  return text + " ".repeat(Math.max(0, width - (truncated ? shown + 1 : shown)));
}
