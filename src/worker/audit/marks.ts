/** Scheduled work that goes through the audit log from its beginning to its end. */
export type Job = "secrets" | "seal";

/** A stretch of an organization's log that a job has not seen yet: after `done`, up to `last`. */
export interface Unseen {
  readonly org: string;
  readonly done: number;
  readonly last: number;
}

/** Selects up to `limit` organizations whose log goes on after where the job has come to ({@link Unseen}). It reads a few rows for each organization. */
export function selectUnseen(db: D1Database, job: Job, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `WITH RECURSIVE orgs (org) AS (
         SELECT MIN(org) FROM audit_events
         UNION ALL
         SELECT (SELECT MIN(e.org) FROM audit_events e WHERE e.org > o.org) FROM orgs o WHERE o.org IS NOT NULL
       ),
       logs (org, done, last) AS (
         SELECT o.org, COALESCE((SELECT m.seq FROM audit_marks m WHERE m.job = ?1 AND m.org = o.org), 0), (SELECT MAX(e.seq) FROM audit_events e WHERE e.org = o.org)
         FROM orgs o WHERE o.org IS NOT NULL
       )
       SELECT org, done, last FROM logs WHERE last > done LIMIT ?2`,
    )
    .bind(job, limit);
}

/** Records that a job has come to `seq`. A slower run at the same time never takes it back. */
export function markSeen(db: D1Database, job: Job, org: string, seq: number): D1PreparedStatement {
  return db
    .prepare("INSERT INTO audit_marks (job, org, seq) VALUES (?, ?, ?) ON CONFLICT (job, org) DO UPDATE SET seq = MAX(seq, excluded.seq)")
    .bind(job, org, seq);
}

/**
 * Carries the time of the last release into the secrets that the events after `from`, up to `to`, released. A built-in
 * secret is another organization's: it is found by its id all the same.
 */
export function noteResolved(db: D1Database, org: string, from: number, to: number): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE secrets SET last_resolved_at = r.at
       FROM (
         SELECT j.value ->> 'id' AS id, MAX(e.at) AS at FROM audit_events e, json_each(e.secrets) j
         WHERE e.org = ? AND e.seq > ? AND e.seq <= ? AND e.action = 'secret.resolve' AND e.outcome = 'allowed' GROUP BY 1
       ) r
       WHERE secrets.id = r.id AND COALESCE(secrets.last_resolved_at, 0) < r.at`,
    )
    .bind(org, from, to);
}

/** Records which events after `from`, up to `to`, name which secrets. */
export function indexBySecret(db: D1Database, org: string, from: number, to: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO audit_by_secret (org, secret_id, seq)
       SELECT DISTINCT e.org, j.value ->> 'id', e.seq FROM audit_events e, json_each(e.secrets) j
       WHERE e.org = ? AND e.seq > ? AND e.seq <= ? AND j.value ->> 'id' IS NOT NULL ON CONFLICT DO NOTHING`,
    )
    .bind(org, from, to);
}
