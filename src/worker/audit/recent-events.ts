/** A minute, in milliseconds. */
const MINUTE = 60_000;

/** SQL, of the SQL of its parts. */
interface Parts {
  readonly org: string;
  /** How many events there may be within a minute. */
  readonly most: string;
  /** Milliseconds since 1970. */
  readonly now: string;
}

/** SQL for whether an organization's log has so many events of the last minute already: it looks at one of them. */
export function tooManyEvents({ org, most, now }: Parts): string {
  return `${most} < 1 OR COALESCE((SELECT r.at FROM audit_events r WHERE r.org = ${org} AND r.seq = (SELECT MAX(l.seq) FROM audit_events l WHERE l.org = ${org}) - ${most} + 1) > ${now} - ${MINUTE}, false)`;
}

/** SQL for whether it has so many of refused calls already, one at the least. It reads as many rows of an index. */
export function tooManyRefusals({ org, most, now }: Parts): string {
  return `COALESCE((SELECT r.at FROM audit_events r INDEXED BY audit_events_refused WHERE r.org = ${org} AND r.outcome = 'denied' ORDER BY r.seq DESC LIMIT 1 OFFSET MAX(${most}, 1) - 1) > ${now} - ${MINUTE}, false)`;
}
