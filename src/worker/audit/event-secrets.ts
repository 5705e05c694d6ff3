/**
 * The SQL for the secrets that an event `e` of `audit_events` names, as JSON: a long list is beside the event, which has
 * `null` in its place. Where that list is gone it is `null`, which is no list, and not what was sealed.
 */
export const SECRETS =
  "CASE WHEN e.secrets = 'null' THEN COALESCE((SELECT l.secrets FROM audit_lists l WHERE l.org = e.org AND l.seq = e.seq), 'null') ELSE e.secrets END";
