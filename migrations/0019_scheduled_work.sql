-- The scheduled run that is at work. One that died is replaced once its time is over.
CREATE TABLE scheduled_run (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  holder TEXT NOT NULL,
  until INTEGER NOT NULL
) STRICT;

-- How full the database was, once an hour for a day and some: what says how long it will last.
CREATE TABLE database_sizes (
  hour INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;

-- Whose a version is, and a KV key that is to be removed: scheduled work takes from each organization in turn. It decides
-- nothing else. The trigger is for rows that something else than Keyhole has put here.
ALTER TABLE versions ADD COLUMN org TEXT NOT NULL DEFAULT '';
UPDATE versions SET org = COALESCE((SELECT s.org FROM secrets s WHERE s.id = versions.secret_id), '');
CREATE INDEX versions_inline_by_org ON versions (org, kv_put_at, created_at) WHERE ciphertext IS NOT NULL;
CREATE TRIGGER versions_of_org AFTER INSERT ON versions WHEN NEW.org = ''
BEGIN
  UPDATE versions SET org = COALESCE((SELECT s.org FROM secrets s WHERE s.id = NEW.secret_id), '') WHERE secret_id = NEW.secret_id AND version = NEW.version;
END;

ALTER TABLE kv_removals ADD COLUMN org TEXT NOT NULL DEFAULT '';
CREATE INDEX kv_removals_by_org ON kv_removals (org, noted_at);

-- The next part of each log that is on its way to the archive.
CREATE INDEX audit_archives_pending_by_org ON audit_archives (org, first_number) WHERE archived_at IS NULL;
