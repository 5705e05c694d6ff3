-- The end of each organization's sealed log. `jws` signs it: the number and hash of the last checkpoint, and up to where
-- retention has removed events. So neither a checkpoint of somebody else's making nor a log that was cut short is built
-- upon. `kid` is the key that signed; `tried_at` is when another key's signature was last looked at, to be renewed.
CREATE TABLE audit_heads (
  org TEXT PRIMARY KEY,
  removed_to INTEGER NOT NULL,
  kid TEXT NOT NULL,
  jws TEXT NOT NULL,
  tried_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_checkpoints_by_seq ON audit_checkpoints (org, first_seq);

-- Logs that do not match what was signed are not worked on for a while.
ALTER TABLE audit_marks ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX audit_marks_failed ON audit_marks (org) WHERE failed = 1;

-- What was sealed before there were heads is sealed anew.
DROP TRIGGER audit_checkpoints_kept;
DELETE FROM audit_checkpoints;
DELETE FROM audit_marks WHERE job = 'seal';

CREATE TRIGGER audit_checkpoints_kept BEFORE DELETE ON audit_checkpoints
BEGIN
  SELECT RAISE(ABORT, 'a checkpoint cannot be removed');
END;

DROP TRIGGER audit_events_kept;
DROP TABLE audit_retention;

CREATE TRIGGER audit_events_kept BEFORE DELETE ON audit_events
WHEN NOT EXISTS (SELECT 1 FROM audit_heads h WHERE h.org = OLD.org AND OLD.seq <= h.removed_to)
BEGIN
  SELECT RAISE(ABORT, 'an audit event can only be removed by retention');
END;

-- INSERT OR REPLACE removes a row without asking the triggers above.
CREATE TRIGGER audit_events_appended BEFORE INSERT ON audit_events
WHEN NEW.seq <> COALESCE((SELECT MAX(e.seq) FROM audit_events e WHERE e.org = NEW.org), 0) + 1
BEGIN
  SELECT RAISE(ABORT, 'an audit event can only be added at the end');
END;

CREATE TRIGGER audit_checkpoints_appended BEFORE INSERT ON audit_checkpoints
WHEN NEW.number <> COALESCE((SELECT MAX(k.number) FROM audit_checkpoints k WHERE k.org = NEW.org), 0) + 1
BEGIN
  SELECT RAISE(ABORT, 'a checkpoint can only be added at the end');
END;
