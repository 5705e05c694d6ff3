/** How long a run holds off others, in milliseconds: longer than any lasts. */
const HELD = 90_000;

/**
 * Takes the place of the run that is at work, if there is none or its time is over: a row is returned if so. A time that
 * nobody could have set is nobody's; clocks of two machines differ by less.
 */
export function takeHold(db: D1Database, holder: string, now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO scheduled_run (id, holder, until) VALUES (1, ?1, ?2 + ${HELD})
       ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, until = excluded.until WHERE until <= ?2 OR until > ?2 + 2 * ${HELD} RETURNING holder`,
    )
    .bind(holder, now);
}

/** Ends the hold of a run, unless another one has taken its place. */
export function releaseHold(db: D1Database, holder: string): D1PreparedStatement {
  return db.prepare("DELETE FROM scheduled_run WHERE holder = ?").bind(holder);
}
