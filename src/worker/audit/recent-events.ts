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
