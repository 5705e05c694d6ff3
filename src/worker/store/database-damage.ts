/** For how long what the last runs came upon counts, in milliseconds, when there is no other one. */
const HOLDS = 300_000;
/** In how many runs in a row a job has to fail so: once may be the platform's own trouble. */
const RUNS = 2;

/**
 * What is said of a page that is not what it should be: by SQLite (SQLITE_CORRUPT, SQLITE_NOTADB), and by the platform, which
 * does not pass that on.
 */
const DAMAGED = /database disk image is malformed|file is not a database|SQLITE_CORRUPT|SQLITE_NOTADB|internal error/;

/** Whether an error, or what caused it, may be that D1 came upon a page that cannot be read. */
export function mayBeDamage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const causes = [error.cause, ...(error instanceof AggregateError ? error.errors : [])];
  return DAMAGED.test(error.message) || causes.some(mayBeDamage);
}

/** Notes which jobs of a run failed so; of the others it is forgotten. */
export function noteDamage(db: D1Database, jobs: readonly string[], now: number): D1PreparedStatement[] {
  const parameter = JSON.stringify(jobs);
  return [
    db.prepare("DELETE FROM database_damage WHERE job NOT IN (SELECT value FROM json_each(?))").bind(parameter),
    db
      .prepare(
        `INSERT INTO database_damage (job, runs, seen_at) SELECT j.value, 1, ?2 FROM json_each(?1) j WHERE true
         ON CONFLICT (job) DO UPDATE SET runs = runs + 1, seen_at = excluded.seen_at`,
      )
      .bind(parameter, now),
  ];
}

/** Selects the jobs that failed so in each of the last runs, as `job`. */
export function selectDamage(db: D1Database, now: number): D1PreparedStatement {
  return db.prepare("SELECT job FROM database_damage WHERE runs >= ? AND seen_at > ? ORDER BY job").bind(RUNS, now - HOLDS);
}
