/** Some from each migration: tables, a column where a later one added it, and an index that statements name. All are there, or some were not applied. */
export const MIGRATED = [
  ["secrets"],
  ["tokens"],
  ["audit_marks"],
  ["audit_checkpoints"],
  ["audit_heads"],
  ["versions", "kind"],
  ["audit_events", "version"],
  ["revocations"],
  ["tokens", "says_ancestors"],
  ["audit_statements"],
  ["versions", "size"],
  ["secrets", "locked"],
  ["audit_archives"],
  ["audit_events_of_rows"],
  ["epochs"],
  ["audit_events", "lease"],
  ["audit_events", "issuer"],
  ["trusts", "reuse"],
  ["used_identities"],
  ["audit_lists"],
  ["usage"],
  ["quotas"],
  ["trust_makers"],
  ["tokens", "lease_seconds"],
  ["scheduled_run"],
  ["secrets", "deleted_until"],
  ["shared_env_names"],
  ["restores"],
  ["lost_values"],
  ["database_damage"],
  ["scope_revisions"],
];

/** Counts as `n` those of {@link MIGRATED}, as JSON, that the database has. */
export const COUNT_MIGRATED =
  "SELECT COUNT(*) AS n FROM json_each(?) m JOIN sqlite_schema s ON s.name = m.value ->> 0 AND s.sql LIKE '%' || COALESCE(m.value ->> 1, '') || '%'";
