const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** How full the database was at a time. */
export interface DatabaseSize {
  readonly at: number;
  readonly bytes: number;
}

/** Notes how full the database is, once an hour, and forgets what is older than is needed to know a day's growth. */
export function noteSize(db: D1Database, bytes: number, now: number): D1PreparedStatement[] {
  return [
    db.prepare("INSERT INTO database_sizes (hour, at, bytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING").bind(Math.floor(now / HOUR), now, bytes),
    db.prepare("DELETE FROM database_sizes WHERE at < ?").bind(now - DAY - 2 * HOUR),
  ];
}

/** Selects how full the database was a day ago, or somewhat more ({@link DatabaseSize}). */
export function selectSizeOfYesterday(db: D1Database, now: number): D1PreparedStatement {
  return db.prepare("SELECT at, bytes FROM database_sizes WHERE at BETWEEN ?1 - 3 * ?2 AND ?1 - ?2 ORDER BY hour DESC LIMIT 1").bind(now, DAY);
}
