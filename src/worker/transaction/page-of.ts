/** One page of a list. */
export interface Page<Row, Position> {
  readonly rows: readonly Row[];
  /** Where the next page begins, or `null` after the last one. */
  readonly next: Position | null;
}

/**
 * The page in `rows`, of which one more than `limit` were asked for: so whether there is another page costs no query.
 *
 * @param positionOf Where a page begins that goes on after a row.
 */
export function pageOf<Row, Position>(rows: readonly Row[], limit: number, positionOf: (last: Row) => Position): Page<Row, Position> {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { rows: page, next: rows.length > limit && last !== undefined ? positionOf(last) : null };
}
