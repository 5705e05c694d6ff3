import { SECRETS } from "./event-secrets.ts";
/** Scheduled work that goes through the audit log from its beginning to its end. */
export type Job = "secrets" | "seal" | "archive" | "retention" | "registry";

/** A stretch of an organization's log that a job has not seen yet: after `done`, up to `last`. */
export interface Unseen {
  readonly org: string;
  readonly done: number;
  readonly last: number;
}

/** How long work on a log that does not match what was signed is deferred, in milliseconds. */
export const RETRY_AFTER = 3_600_000;

/** SQL for a common table of the organizations that have events: it reads one row for each. */
export const LOGGED_ORGS = `orgs (org) AS (
         SELECT MIN(org) FROM audit_events
         UNION ALL
         SELECT (SELECT MIN(e.org) FROM audit_events e WHERE e.org > o.org) FROM orgs o WHERE o.org IS NOT NULL
       )`;

/**
 * Selects up to `limit` organizations whose log goes on after where the job has come to ({@link Unseen}), those first
 * that it has not come to for longest. A log that the job could not go on in is deferred for an hour. It reads a few
 * rows for each organization.
 *
 * @param except Organizations that are left out, as JSON.
 */
export function selectUnseen(db: D1Database, job: Job, now: number, limit: number, except = "[]"): D1PreparedStatement {
  return db
    .prepare(
      `WITH RECURSIVE ${LOGGED_ORGS},
       logs (org, done, seen_at, failed, last) AS (
         SELECT o.org, COALESCE(m.seq, 0), COALESCE(m.seen_at, 0), COALESCE(m.failed, 0), (SELECT MAX(e.seq) FROM audit_events e WHERE e.org = o.org)
         FROM orgs o LEFT JOIN audit_marks m ON m.job = ?1 AND m.org = o.org WHERE o.org IS NOT NULL
       )
       SELECT org, done, last FROM logs
       WHERE last > done AND (NOT failed OR seen_at <= ?2 - ${RETRY_AFTER}) AND org NOT IN (SELECT value FROM json_each(?4)) ORDER BY seen_at, org LIMIT ?3`,
    )
    .bind(job, now, limit, except);
}

/** A stretch of an organization's log: after `done`, up to `to`. */
export interface Stretch {
  readonly org: string;
  readonly done: number;
  readonly to: number;
}

/** How long what an event says of one secret is at the least, as JSON, in characters. */
const NAMED_LENGTH = 48;

/** Where a stretch is to end. */
export type Cut = Pick<Stretch, "org" | "to">;

/** Selects those stretches whose events name more than `named` secrets in about, and where they come to so many, beside the last event ({@link Cut}). */
export function selectCuts(db: D1Database, stretches: readonly Stretch[], named: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT org, MIN(seq) - 1 AS "to" FROM (
         SELECT org, seq, SUM(named) OVER (PARTITION BY org ORDER BY seq ROWS UNBOUNDED PRECEDING) - named AS before FROM (
           SELECT e.org, e.seq, MAX(COALESCE(e.secrets_total, 0), length(e.secrets) / ${NAMED_LENGTH}) AS named
           FROM json_each(?1) l CROSS JOIN audit_events e ON e.org = l.value ->> 'org' AND e.seq > l.value ->> 'done' AND e.seq <= l.value ->> 'to'
         )
       ) WHERE before >= ?2 GROUP BY org`,
    )
    .bind(JSON.stringify(stretches), named);
}

/** Records at `now` that a job has come to the ends of stretches. A slower run at the same time never takes it back. */
export function markSeen(db: D1Database, job: Job, stretches: readonly Stretch[], now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO audit_marks (job, org, seq, seen_at) SELECT ?1, j.value ->> 'org', j.value ->> 'to', ?3 FROM json_each(?2) j WHERE true
       ON CONFLICT (job, org) DO UPDATE SET seq = MAX(seq, excluded.seq), seen_at = MAX(seen_at, excluded.seen_at), failed = 0`,
    )
    .bind(job, JSON.stringify(stretches), now);
}

/** Records at `now` that a job has come to logs and could do nothing there: others come first the next time. */
export function noteTried(db: D1Database, job: Job, orgs: readonly string[], now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO audit_marks (job, org, seq, seen_at) SELECT ?1, value, 0, ?3 FROM json_each(?2) WHERE true
       ON CONFLICT (job, org) DO UPDATE SET seen_at = MAX(seen_at, excluded.seen_at)`,
    )
    .bind(job, JSON.stringify(orgs), now);
}

/**
 * Records at `now` that a job could not go on in an organization's log, because that is not what was signed. It returns a
 * row if it did.
 *
 * @param head The head by which the job saw the log: when there is another one by now, it saw another run at work. `null` for any.
 */
export function markFailed(db: D1Database, job: Job, org: string, now: number, head: string | null = null): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO audit_marks (job, org, seq, seen_at, failed) SELECT ?1, ?2, 0, ?3, 1 WHERE ?4 IS NULL OR EXISTS (SELECT 1 FROM audit_heads h WHERE h.org = ?2 AND h.jws = ?4)
       ON CONFLICT (job, org) DO UPDATE SET seen_at = excluded.seen_at, failed = 1 RETURNING org`,
    )
    .bind(job, org, now, head);
}

/** A log that a job has marked. */
export interface MarkedLog {
  readonly org: string;
}

/** Selects up to `limit` logs that a job has marked as failed ({@link MarkedLog}). */
export function selectFailed(db: D1Database, job: Job, limit: number): D1PreparedStatement {
  return db.prepare("SELECT org FROM audit_marks WHERE failed = 1 AND job = ? LIMIT ?").bind(job, limit);
}

/** Takes the marks of a job from logs. */
export function unmarkFailed(db: D1Database, job: Job, orgs: readonly string[]): D1PreparedStatement {
  return db
    .prepare("UPDATE audit_marks SET failed = 0 WHERE job = ? AND failed = 1 AND org IN (SELECT value FROM json_each(?))")
    .bind(job, JSON.stringify(orgs));
}

/**
 * Carries the time of the last release into the secrets that the events of stretches released. A built-in secret is
 * another organization's: it is found by its id all the same.
 */
export function noteResolved(db: D1Database, stretches: readonly Stretch[]): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE secrets SET last_resolved_at = r.at
       FROM (
         SELECT j.value ->> 'id' AS id, MAX(e.at) AS at
         FROM json_each(?) l CROSS JOIN audit_events e ON e.org = l.value ->> 'org' AND e.seq > l.value ->> 'done' AND e.seq <= l.value ->> 'to'
           AND e.action IN ('secret.resolve', 'secret.resolve.uses', 'secret.use') AND e.outcome = 'allowed'
         CROSS JOIN json_each(${SECRETS}) j GROUP BY 1
       ) r
       WHERE secrets.id = r.id AND COALESCE(secrets.last_resolved_at, 0) < r.at`,
    )
    .bind(JSON.stringify(stretches));
}

/** Records which events of stretches name which secrets. */
export function indexBySecret(db: D1Database, stretches: readonly Stretch[]): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO audit_by_secret (org, secret_id, seq)
       SELECT DISTINCT e.org, j.value ->> 'id', e.seq
       FROM json_each(?) l CROSS JOIN audit_events e ON e.org = l.value ->> 'org' AND e.seq > l.value ->> 'done' AND e.seq <= l.value ->> 'to'
       CROSS JOIN json_each(${SECRETS}) j WHERE j.value ->> 'id' IS NOT NULL ON CONFLICT DO NOTHING`,
    )
    .bind(JSON.stringify(stretches));
}
