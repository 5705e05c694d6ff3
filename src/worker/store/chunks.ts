/** How many characters of JSON go into one statement, beside its last row: a parameter is at most 2 MB. */
const STATEMENT_SIZE = 400_000;

/** Rows in as few statements as carry them. */
export function chunks<T>(rows: readonly T[]): T[][] {
  const chunks: T[][] = [];
  let size = STATEMENT_SIZE;
  for (const row of rows) {
    if (size >= STATEMENT_SIZE) {
      chunks.push([]);
      size = 0;
    }
    chunks.at(-1)?.push(row);
    size += JSON.stringify(row).length;
  }
  return chunks;
}
