import type { Stretch } from "./marks.ts";

/** How many events there were of a kind. `kind` says what is counted: events by action and outcome, leases by what opened them, uses, refused tokens by reason. */
export interface EventCount {
  readonly kind: "events" | "leases" | "uses" | "refused";
  readonly action: string;
  readonly outcome: string;
  readonly n: number;
}

/** Of `token.refused`: what its target says after the trust, `<reason> once` or `<reason> 16 times`. */
const REFUSED = "IIF(target LIKE 'trust:%', substr(target, instr(target, ' ') + 1), target)";
const REASON = `substr(${REFUSED}, 1, instr(${REFUSED}, ' ') - 1)`;
const TIMES = `MAX(1, CAST(substr(${REFUSED}, instr(${REFUSED}, ' ') + 1) AS INTEGER))`;

/**
 * Adds the events of stretches to what is counted: those that the job has not come to, so that a slower run at the same time
 * counts none again. It stands before the statement that marks them as seen, in the same transaction.
 */
export function countEvents(db: D1Database, stretches: readonly Stretch[]): D1PreparedStatement {
  return db
    .prepare(
      `WITH seen AS MATERIALIZED (
         SELECT e.org, e.action, COALESCE(e.finer_outcome, e.outcome) AS outcome, e.lease, e.target
         FROM json_each(?) l LEFT JOIN audit_marks m ON m.job = 'secrets' AND m.org = l.value ->> 'org'
         CROSS JOIN audit_events e ON e.org = l.value ->> 'org' AND e.seq > MAX(l.value ->> 'done', COALESCE(m.seq, 0)) AND e.seq <= l.value ->> 'to'
       )
       INSERT INTO event_counts (org, kind, action, outcome, n)
       SELECT org, 'events', action, outcome, COUNT(*) FROM seen GROUP BY 1, 3, 4
       UNION ALL SELECT org, 'leases', action, '', COUNT(*) FROM seen WHERE lease IS NOT NULL AND action IN ('secret.resolve', 'secret.use') GROUP BY 1, 3
       UNION ALL SELECT org, 'uses', '', '', COALESCE(SUM(lease ->> 'uses'), 0) FROM seen WHERE action = 'secret.resolve.uses' AND lease ->> 'final' GROUP BY 1
       UNION ALL SELECT org, 'refused', ${REASON}, '', SUM(${TIMES}) FROM seen WHERE action = 'token.refused' AND target IS NOT NULL GROUP BY 1, 3
       ON CONFLICT (org, kind, action, outcome) DO UPDATE SET n = n + excluded.n`,
    )
    .bind(JSON.stringify(stretches));
}

/** Selects what is counted of an organization ({@link EventCount}). */
export function selectEventCounts(db: D1Database, org: string): D1PreparedStatement {
  return db.prepare("SELECT kind, action, outcome, n FROM event_counts WHERE org = ?").bind(org);
}
