-- Backups that are being taken, and in the order of their changes the rows that change meanwhile: those are read again, until none
-- is left. `first_change` is the last change before one began, `logs` up to which event each log had come (JSON).
CREATE TABLE backups (
  id TEXT PRIMARY KEY,
  begun_at INTEGER NOT NULL,
  begun_by TEXT NOT NULL,
  first_change INTEGER NOT NULL,
  logs TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE changed_rows (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  table_name TEXT NOT NULL,
  row_key TEXT NOT NULL
) STRICT;

-- The restore that is under way: its last page, as it was signed; page 0 where the database itself was set back. `logs` is what the backup's end says, once that is here (JSON), and
-- `done_to` up to which organization all has been seen to, `verified_to` up to which checkpoint the log of the next one is verified.
CREATE TABLE restores (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  backup TEXT NOT NULL,
  page INTEGER NOT NULL,
  jws TEXT NOT NULL,
  begun_at INTEGER NOT NULL,
  logs TEXT,
  done_to TEXT NOT NULL DEFAULT '',
  verified_to INTEGER NOT NULL DEFAULT 0,
  -- 1 only within a transaction that deletes again what was deleted: its events are of the restore.
  deleting INTEGER NOT NULL DEFAULT 0
) STRICT;

ALTER TABLE guard ADD COLUMN no_restore INTEGER CONSTRAINT no_restore CHECK (no_restore = 1);
ALTER TABLE guard ADD COLUMN nothing_here INTEGER CONSTRAINT nothing_here CHECK (nothing_here = 1);

-- Without an event nothing is released and nothing changed: so until a restore is over, there is none but of the restore itself.
CREATE TRIGGER audit_entries_wait INSTEAD OF INSERT ON audit_entries
WHEN NEW.action NOT IN ('backup.restore', 'log.restored') AND EXISTS (SELECT 1 FROM restores WHERE deleting = 0)
BEGIN
  INSERT INTO guard (no_restore) VALUES (0);
END;

-- What a restore brings begins where the log began that was kept.
DROP TRIGGER audit_events_appended;
CREATE TRIGGER audit_events_appended BEFORE INSERT ON audit_events
WHEN NOT EXISTS (SELECT 1 FROM restores)
  AND NEW.seq <> COALESCE((SELECT MAX(e.seq) FROM audit_events e WHERE e.org = NEW.org), 0) + 1
  AND NEW.seq <> MAX(COALESCE((SELECT MAX(e.seq) FROM audit_events e WHERE e.org = NEW.org), 0), COALESCE((SELECT MAX(g.lost_seq) FROM audit_generations g WHERE g.org = NEW.org), 0)) + 1
BEGIN
  SELECT RAISE(ABORT, 'an audit event can only be added at the end');
END;

DROP TRIGGER audit_checkpoints_appended;
CREATE TRIGGER audit_checkpoints_appended BEFORE INSERT ON audit_checkpoints
WHEN NOT EXISTS (SELECT 1 FROM restores)
  AND NEW.number <> MAX(COALESCE((SELECT MAX(k.number) FROM audit_checkpoints k WHERE k.org = NEW.org), 0), COALESCE((SELECT MAX(g.number) FROM audit_generations g WHERE g.org = NEW.org), 0)) + 1
BEGIN
  SELECT RAISE(ABORT, 'a checkpoint can only be added at the end');
END;

DROP TRIGGER audit_archives_apart;
CREATE TRIGGER audit_archives_apart BEFORE INSERT ON audit_archives
WHEN NOT EXISTS (SELECT 1 FROM restores) AND (NEW.archived_at IS NOT NULL
  OR EXISTS (SELECT 1 FROM audit_archives a WHERE a.org = NEW.org AND a.first_number <= NEW.last_number AND a.last_number >= NEW.first_number))
BEGIN
  SELECT RAISE(ABORT, 'an archive can only be added of what is in no other');
END;

-- What a backup does not carry is no change for it: only the columns that it does are noted (a test compares them).
CREATE TRIGGER quotas_insert_noted AFTER INSERT ON quotas WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('quotas', json_array(NEW.org));
END;
CREATE TRIGGER quotas_update_noted AFTER UPDATE ON quotas WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('quotas', json_array(NEW.org));
END;
CREATE TRIGGER quotas_delete_noted AFTER DELETE ON quotas WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('quotas', json_array(OLD.org));
END;

CREATE TRIGGER revocations_insert_noted AFTER INSERT ON revocations WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('revocations', json_array(NEW.org, NEW.n));
END;
CREATE TRIGGER revocations_update_noted AFTER UPDATE ON revocations WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('revocations', json_array(NEW.org, NEW.n));
END;
CREATE TRIGGER revocations_delete_noted AFTER DELETE ON revocations WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('revocations', json_array(OLD.org, OLD.n));
END;

CREATE TRIGGER trusts_insert_noted AFTER INSERT ON trusts WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('trusts', json_array(NEW.org, NEW.name));
END;
CREATE TRIGGER trusts_update_noted AFTER UPDATE ON trusts WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('trusts', json_array(NEW.org, NEW.name));
END;
CREATE TRIGGER trusts_delete_noted AFTER DELETE ON trusts WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('trusts', json_array(OLD.org, OLD.name));
END;

CREATE TRIGGER scopes_insert_noted AFTER INSERT ON scopes WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('scopes', json_array(NEW.org, NEW.scope));
END;
CREATE TRIGGER scopes_update_noted AFTER UPDATE OF org, scope, parent, seal ON scopes WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('scopes', json_array(NEW.org, NEW.scope));
END;
CREATE TRIGGER scopes_delete_noted AFTER DELETE ON scopes WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('scopes', json_array(OLD.org, OLD.scope));
END;

CREATE TRIGGER tokens_insert_noted AFTER INSERT ON tokens WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('tokens', json_array(NEW.id));
END;
CREATE TRIGGER tokens_update_noted AFTER UPDATE ON tokens WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('tokens', json_array(NEW.id));
END;
CREATE TRIGGER tokens_delete_noted AFTER DELETE ON tokens WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('tokens', json_array(OLD.id));
END;

CREATE TRIGGER used_identities_insert_noted AFTER INSERT ON used_identities WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('used_identities', json_array(NEW.org, NEW.trust, NEW.digest));
END;
CREATE TRIGGER used_identities_update_noted AFTER UPDATE ON used_identities WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('used_identities', json_array(NEW.org, NEW.trust, NEW.digest));
END;
CREATE TRIGGER used_identities_delete_noted AFTER DELETE ON used_identities WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('used_identities', json_array(OLD.org, OLD.trust, OLD.digest));
END;

CREATE TRIGGER secrets_insert_noted AFTER INSERT ON secrets WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('secrets', json_array(NEW.id));
END;
CREATE TRIGGER secrets_update_noted AFTER UPDATE ON secrets WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('secrets', json_array(NEW.id));
END;
CREATE TRIGGER secrets_delete_noted AFTER DELETE ON secrets WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('secrets', json_array(OLD.id));
END;

CREATE TRIGGER versions_insert_noted AFTER INSERT ON versions WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('versions', json_array(NEW.secret_id, NEW.version));
END;
CREATE TRIGGER versions_update_noted AFTER UPDATE OF secret_id, version, encoding, key_id, wrapped_key, ciphertext, kv_key, created_at, created_by, legacy_plaintext, size, org ON versions WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('versions', json_array(NEW.secret_id, NEW.version));
END;
CREATE TRIGGER versions_delete_noted AFTER DELETE ON versions WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('versions', json_array(OLD.secret_id, OLD.version));
END;

CREATE TRIGGER audit_events_insert_noted AFTER INSERT ON audit_events WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_events', json_array(NEW.org, NEW.seq));
END;
CREATE TRIGGER audit_events_update_noted AFTER UPDATE ON audit_events WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_events', json_array(NEW.org, NEW.seq));
END;
CREATE TRIGGER audit_events_delete_noted AFTER DELETE ON audit_events WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_events', json_array(OLD.org, OLD.seq));
END;

CREATE TRIGGER audit_lists_insert_noted AFTER INSERT ON audit_lists WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_lists', json_array(NEW.org, NEW.seq));
END;
CREATE TRIGGER audit_lists_update_noted AFTER UPDATE ON audit_lists WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_lists', json_array(NEW.org, NEW.seq));
END;
CREATE TRIGGER audit_lists_delete_noted AFTER DELETE ON audit_lists WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_lists', json_array(OLD.org, OLD.seq));
END;

CREATE TRIGGER audit_checkpoints_insert_noted AFTER INSERT ON audit_checkpoints WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_checkpoints', json_array(NEW.org, NEW.number));
END;
CREATE TRIGGER audit_checkpoints_update_noted AFTER UPDATE ON audit_checkpoints WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_checkpoints', json_array(NEW.org, NEW.number));
END;
CREATE TRIGGER audit_checkpoints_delete_noted AFTER DELETE ON audit_checkpoints WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_checkpoints', json_array(OLD.org, OLD.number));
END;

CREATE TRIGGER audit_generations_insert_noted AFTER INSERT ON audit_generations WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_generations', json_array(NEW.org, NEW.generation));
END;
CREATE TRIGGER audit_generations_update_noted AFTER UPDATE ON audit_generations WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_generations', json_array(NEW.org, NEW.generation));
END;
CREATE TRIGGER audit_generations_delete_noted AFTER DELETE ON audit_generations WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_generations', json_array(OLD.org, OLD.generation));
END;

CREATE TRIGGER audit_heads_insert_noted AFTER INSERT ON audit_heads WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_heads', json_array(NEW.org));
END;
CREATE TRIGGER audit_heads_update_noted AFTER UPDATE ON audit_heads WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_heads', json_array(NEW.org));
END;
CREATE TRIGGER audit_heads_delete_noted AFTER DELETE ON audit_heads WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_heads', json_array(OLD.org));
END;

CREATE TRIGGER audit_archives_insert_noted AFTER INSERT ON audit_archives WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_archives', json_array(NEW.org, NEW.first_number));
END;
CREATE TRIGGER audit_archives_update_noted AFTER UPDATE OF org, first_number, last_number, first_seq, last_seq, first_at, last_at, others, kv_key, key_id, wrapped_key, created_at, kv_put_at, archived_at, seal ON audit_archives WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_archives', json_array(NEW.org, NEW.first_number));
END;
CREATE TRIGGER audit_archives_delete_noted AFTER DELETE ON audit_archives WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_archives', json_array(OLD.org, OLD.first_number));
END;

CREATE TRIGGER audit_archive_secrets_insert_noted AFTER INSERT ON audit_archive_secrets WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_archive_secrets', json_array(NEW.org, NEW.secret_id, NEW.first_number));
END;
CREATE TRIGGER audit_archive_secrets_update_noted AFTER UPDATE ON audit_archive_secrets WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_archive_secrets', json_array(NEW.org, NEW.secret_id, NEW.first_number));
END;
CREATE TRIGGER audit_archive_secrets_delete_noted AFTER DELETE ON audit_archive_secrets WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('audit_archive_secrets', json_array(OLD.org, OLD.secret_id, OLD.first_number));
END;
