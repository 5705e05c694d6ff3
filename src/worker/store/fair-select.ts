/** Rows that wait for scheduled work, in an index that begins with `org`. The conditions are of one row of the table. */
export interface Waiting {
  readonly table: string;
  /** What the index has, if it is a partial one. */
  readonly indexed?: string;
  /** Of those, what is due. */
  readonly due: string;
  readonly order: string;
  /** A column that names a row. */
  readonly key: string;
  readonly columns: readonly string[];
}

/**
 * SQL that selects up to `limit` rows of a table, from each organization that has some its share: none waits for what
 * another one has before it. With more organizations than rows, those come in turns.
 *
 * @param parameters The SQL of two: `limit`, and `turn`, which counts batches.
 */
export function fairSelect(
  { table, indexed = "true", due, order, key, columns }: Waiting,
  parameters: { readonly limit: string; readonly turn: string },
): string {
  // D1 binds every number as a real one, of which a division leaves a fraction.
  const [limit, turn] = [`CAST(${parameters.limit} AS INTEGER)`, `CAST(${parameters.turn} AS INTEGER)`];
  return `WITH RECURSIVE named (org) AS (
      SELECT MIN(org) FROM ${table} WHERE ${indexed}
      UNION ALL SELECT (SELECT MIN(t.org) FROM ${table} t WHERE ${indexed} AND t.org > n.org) FROM named n WHERE n.org IS NOT NULL
    ),
    waiting (org, place, orgs) AS (
      SELECT n.org, ROW_NUMBER() OVER (ORDER BY n.org) - 1, COUNT(*) OVER () FROM named n
      WHERE n.org IS NOT NULL AND EXISTS (SELECT 1 FROM ${table} WHERE ${indexed} AND org = n.org AND ${due})
    ),
    turns (org) AS (SELECT org FROM waiting ORDER BY (place + orgs - ${turn} * ${limit} % orgs) % orgs LIMIT ${limit})
    SELECT ${columns.map((column) => `r.${column}`).join(", ")}, r.org, (SELECT MAX(1, ${limit} / COUNT(*)) FROM turns) AS share
    FROM turns o CROSS JOIN ${table} r ON r.${key} IN (
      SELECT ${key} FROM ${table} WHERE ${indexed} AND org = o.org AND ${due} ORDER BY ${order} LIMIT (SELECT MAX(1, ${limit} / COUNT(*)) FROM turns))`;
}

/** Whose a row is that was selected so, and how many its organization could have had. */
export interface Shared {
  readonly org: string;
  readonly share: number;
}

/** Whether more rows may be waiting than were selected: an organization had all of its share. */
export function mayBeMore(rows: readonly Shared[]): boolean {
  const counts = new Map<string, number>();
  for (const { org } of rows) counts.set(org, (counts.get(org) ?? 0) + 1);
  return rows.some(({ org, share }) => (counts.get(org) ?? 0) >= share);
}
