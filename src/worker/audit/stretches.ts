import type { CheckpointRow } from "./checkpoints.ts";
import { EVENT_COLUMNS, type EventRow } from "./read-events.ts";

/** A sealed stretch with its events, as D1 has them. */
export interface StretchRows {
  readonly checkpoint: CheckpointRow;
  readonly events: readonly EventRow[];
}

/** Which stretches: of the log's checkpoints after a number, up to one. */
export interface StretchQuery {
  readonly org: string;
  readonly after: number;
  readonly to: number;
  /** How many checkpoints at the most, and about how many events. */
  readonly checkpoints: number;
  readonly events: number;
}

/** How many characters of secrets one read has, beside its last event: what is read is in memory at once. */
const SIZE = 3_000_000;

/** An event, and how many characters of secrets there are up to its end. */
type SizedEvent = EventRow & { readonly size: number };

/**
 * Selects consecutive stretches that are in D1, and no archive before them ({@link CheckpointRow}), and their events: one read
 * sees both as they are at one time. Pair them up with {@link pairStretches}.
 */
export function selectStretches(db: D1Database, query: StretchQuery): [checkpoints: D1PreparedStatement, events: D1PreparedStatement] {
  const { org, after, to, checkpoints, events } = query;
  const page = `WITH page AS (
    SELECT * FROM (
      SELECT k.*, SUM(k.last_seq - k.first_seq + 1) OVER (ORDER BY k.number ROWS UNBOUNDED PRECEDING) - (k.last_seq - k.first_seq + 1) AS events_before
      FROM (
        SELECT * FROM audit_checkpoints WHERE org = ?1 AND number > ?2 AND number <= ?3
          AND number < COALESCE((SELECT a.first_number FROM audit_archives a WHERE a.org = ?1 AND a.first_number > ?2 AND a.archived_at IS NOT NULL ORDER BY a.first_number LIMIT 1), ${Number.MAX_SAFE_INTEGER})
        ORDER BY number LIMIT ?4
      ) k
    ) WHERE events_before < ?5
  )`;
  return [
    db
      .prepare(`${page} SELECT org, number, first_seq, last_seq, first_at, last_at, row_digests, jws FROM page ORDER BY number`)
      .bind(org, after, to, checkpoints, events),
    db
      .prepare(
        `${page} SELECT * FROM (
           SELECT *, SUM(length(secrets)) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) AS size FROM (
             SELECT ${EVENT_COLUMNS} FROM audit_events e
             WHERE e.org = ?1 AND e.seq >= (SELECT MIN(first_seq) FROM page) AND e.seq <= (SELECT MAX(last_seq) FROM page) ORDER BY e.seq LIMIT ?5 + 1000
           )
         ) WHERE size - length(secrets) < ${SIZE} ORDER BY seq`,
      )
      .bind(org, after, to, checkpoints, events),
  ];
}

/** The stretches of one read, but for those at its end whose events were too much for it; the first is always there. */
export function pairStretches(checkpoints: readonly CheckpointRow[], events: readonly EventRow[], limit: number): StretchRows[] {
  const last = events.at(-1) as SizedEvent | undefined;
  const cut = last !== undefined && (last.size >= SIZE || events.length >= limit + 1000);
  const stretches: StretchRows[] = [];
  let at = 0;
  for (const checkpoint of checkpoints) {
    if (cut && checkpoint.last_seq > last.seq && stretches.length > 0) break;
    const { first_seq, last_seq } = checkpoint;
    while ((events[at]?.seq ?? first_seq) < first_seq) at++;
    const from = at;
    while ((events[at]?.seq ?? Number.POSITIVE_INFINITY) <= last_seq) at++;
    stretches.push({ checkpoint, events: events.slice(from, at) });
  }
  return stretches;
}
