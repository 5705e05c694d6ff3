/** For how long the database counts as damaged after somebody came upon that, in milliseconds. */
const HOLDS = 86_400_000;

/** What SQLite says of a page that is not what it should be (SQLITE_CORRUPT, SQLITE_NOTADB). */
const DAMAGED = /database disk image is malformed|file is not a database|SQLITE_CORRUPT|SQLITE_NOTADB/;

/** Whether an error, or what caused it, is that D1 came upon a page that cannot be read. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const causes = [error.cause, ...(error instanceof AggregateError ? error.errors : [])];
  return DAMAGED.test(error.message) || causes.some(isDamage);
}

/** Notes that a job came upon a page that cannot be read. */
export function noteDamage(db: D1Database, job: string, now: number): D1PreparedStatement {
  return db
    .prepare("INSERT INTO database_damage (id, job, seen_at) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE SET job = excluded.job, seen_at = excluded.seen_at")
    .bind(job, now);
}

/** Selects the job that came upon such a page in the last day, as `job`. */
export function selectDamage(db: D1Database, now: number): D1PreparedStatement {
  return db.prepare("SELECT job FROM database_damage WHERE seen_at > ?").bind(now - HOLDS);
}
