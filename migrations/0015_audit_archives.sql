-- Stretches of audit logs whose checkpoints and events are in KV: one row for each object there. The row is noted before the
-- object is put (`kv_put_at`), and only when that has been read back and compared do its checkpoints and events go from
-- here (`archived_at`). `wrapped_key` opens the object: without this row it is nothing.
CREATE TABLE audit_archives (
  org TEXT NOT NULL,
  first_number INTEGER NOT NULL,
  last_number INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  others INTEGER NOT NULL,
  kv_key TEXT NOT NULL UNIQUE,
  key_id TEXT NOT NULL,
  wrapped_key TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  kv_put_at INTEGER,
  archived_at INTEGER,
  retry_at INTEGER,
  seal TEXT,
  PRIMARY KEY (org, first_number),
  CHECK (first_number <= last_number AND first_seq <= last_seq),
  CHECK (archived_at IS NULL OR kv_put_at IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_archives_pending ON audit_archives (created_at) WHERE archived_at IS NULL;
CREATE INDEX audit_archives_by_key ON audit_archives (key_id, created_at);

-- Which objects name a secret.
CREATE TABLE audit_archive_secrets (
  org TEXT NOT NULL,
  secret_id TEXT NOT NULL,
  first_number INTEGER NOT NULL,
  PRIMARY KEY (org, secret_id, first_number)
) STRICT, WITHOUT ROWID;

-- An insert that takes a row's place removes that without asking the trigger below.
CREATE TRIGGER audit_archives_apart BEFORE INSERT ON audit_archives
WHEN NEW.archived_at IS NOT NULL
  OR EXISTS (SELECT 1 FROM audit_archives a WHERE a.org = NEW.org AND a.first_number <= NEW.last_number AND a.last_number >= NEW.first_number)
BEGIN
  SELECT RAISE(ABORT, 'an archive can only be added of what is in no other');
END;

CREATE TRIGGER audit_archives_unchangeable BEFORE UPDATE OF org, first_number, last_number, first_seq, last_seq, first_at, last_at, others, kv_key, created_at ON audit_archives
BEGIN
  SELECT RAISE(ABORT, 'an archive cannot be changed');
END;

CREATE TRIGGER audit_archives_kept BEFORE DELETE ON audit_archives
WHEN NOT EXISTS (SELECT 1 FROM kv_removals r WHERE r.kv_key = OLD.kv_key)
  OR (OLD.archived_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit_heads h WHERE h.org = OLD.org AND OLD.last_seq <= h.removed_to))
BEGIN
  SELECT RAISE(ABORT, 'an archive can only be removed by retention, and with its KV key noted for removal');
END;

CREATE TRIGGER audit_archives_final BEFORE UPDATE OF archived_at ON audit_archives
WHEN OLD.archived_at IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'what is archived stays so');
END;

DROP TRIGGER audit_events_kept;
CREATE TRIGGER audit_events_kept BEFORE DELETE ON audit_events
WHEN NOT EXISTS (SELECT 1 FROM audit_heads h WHERE h.org = OLD.org AND OLD.seq <= h.removed_to)
  AND NOT EXISTS (
    SELECT 1 FROM (SELECT a.last_seq, a.archived_at FROM audit_archives a WHERE a.org = OLD.org AND a.archived_at IS NOT NULL ORDER BY a.first_number DESC LIMIT 1) l
    WHERE OLD.seq <= l.last_seq)
BEGIN
  SELECT RAISE(ABORT, 'an audit event can only be removed by retention, or once it is archived');
END;

-- A checkpoint goes with its events: the head names the one after which the log begins.
DROP TRIGGER audit_checkpoints_kept;
CREATE TRIGGER audit_checkpoints_kept BEFORE DELETE ON audit_checkpoints
WHEN NOT EXISTS (SELECT 1 FROM audit_heads h WHERE h.org = OLD.org AND OLD.last_seq <= h.removed_to)
  AND NOT EXISTS (
    SELECT 1 FROM audit_archives a WHERE a.org = OLD.org AND a.first_number <= OLD.number AND a.last_number >= OLD.number AND a.archived_at IS NOT NULL)
BEGIN
  SELECT RAISE(ABORT, 'a checkpoint can only be removed by retention, or once it is archived');
END;
