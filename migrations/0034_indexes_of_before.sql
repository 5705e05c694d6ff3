-- The indexes that only a Worker of before soft delete (0025) named: `secrets_there_by_…` have taken their places, and a write has
-- fewer rows to write without them. That Worker has to be gone when this is applied. The Worker of the last release says that a
-- migration is missing where `audit_events_of_rows` is not there: that one goes later, with `audit_events_on_rows`.
DROP INDEX secrets_by_name;
DROP INDEX secrets_by_kind;
DROP INDEX secrets_by_expiry;
DROP INDEX secrets_by_rotation;
