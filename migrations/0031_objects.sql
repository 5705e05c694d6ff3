-- A scope read and written as one object: how often it has been written, so that whoever replaces all of it can say what it was
-- when it was read. The number outlives the scope's secrets: it is never the same for two states, until the object is purged as
-- one and begins anew. `revised_at` is when that
-- write was, `updated_at` also when only `custom_metadata` was; `emptied_revision` is the last write that deleted all of it at once.
CREATE TABLE scope_revisions (
  org TEXT NOT NULL,
  scope TEXT NOT NULL,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  revised_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  emptied_revision INTEGER,
  custom_metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(custom_metadata)),
  PRIMARY KEY (org, scope)
) STRICT, WITHOUT ROWID;

-- What was there before is revision 1.
INSERT INTO scope_revisions (org, scope, revision, created_at, revised_at, updated_at)
  SELECT org, scope, 1, MIN(created_at), MAX(updated_at), MAX(updated_at) FROM secrets GROUP BY org, scope;

-- So is what the Worker of before writes until this one is deployed, and what a backup of before brings.
CREATE TRIGGER secrets_begin_revisions AFTER INSERT ON secrets
WHEN NOT EXISTS (SELECT 1 FROM scope_revisions r WHERE r.org = NEW.org AND r.scope = NEW.scope)
BEGIN
  INSERT INTO scope_revisions (org, scope, revision, created_at, revised_at, updated_at)
  VALUES (NEW.org, NEW.scope, 1, NEW.created_at, NEW.updated_at, NEW.updated_at);
END;

-- Repositories whose path begins with a word that means something else in a path of an object: lists have them elsewhere.
CREATE INDEX scope_revisions_ambiguous ON scope_revisions (org, scope)
WHERE scope >= 'repo:' AND scope < 'repo;'
  AND lower(substr(scope, 6, instr(substr(scope, 6) || '/', '/') - 1)) IN ('global', 'builtin', 'team', 'namespace', 'agent', 'repo');

-- Which revision of its scope a value was written with, 0 where that is not known, and a secret deleted.
ALTER TABLE versions ADD COLUMN scope_revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE secrets ADD COLUMN deleted_revision INTEGER;

-- Whether a text is JSON that is no string: `encoding`, whose values are fixed, says `utf8` of it.
ALTER TABLE versions ADD COLUMN is_json INTEGER NOT NULL DEFAULT 0;

-- Whether a secret may become an environment variable.
ALTER TABLE secrets ADD COLUMN variable INTEGER NOT NULL DEFAULT 1 CHECK (variable IN (0, 1));

ALTER TABLE guard ADD COLUMN scope_revision INTEGER CONSTRAINT scope_revision CHECK (scope_revision = 1);

DROP TRIGGER secrets_change_epoch;
CREATE TRIGGER secrets_change_epoch AFTER UPDATE OF org, id, scope, name, version, expires_at, locked, max_lease_seconds, deleted_at, deleted_until, variable ON secrets
WHEN OLD.org IS NOT NEW.org OR OLD.id IS NOT NEW.id OR OLD.scope IS NOT NEW.scope OR OLD.name IS NOT NEW.name
  OR OLD.version IS NOT NEW.version OR OLD.expires_at IS NOT NEW.expires_at
  OR OLD.locked IS NOT NEW.locked OR OLD.max_lease_seconds IS NOT NEW.max_lease_seconds
  OR OLD.deleted_at IS NOT NEW.deleted_at OR OLD.deleted_until IS NOT NEW.deleted_until OR OLD.variable IS NOT NEW.variable
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (NEW.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;

-- The revision goes up with what begins another epoch by itself; what an answer has of the object beside that does so here.
CREATE TRIGGER scope_revisions_begin_epoch AFTER INSERT ON scope_revisions WHEN NEW.custom_metadata <> '{}'
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (NEW.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;
CREATE TRIGGER scope_revisions_change_epoch AFTER UPDATE OF custom_metadata ON scope_revisions WHEN OLD.custom_metadata IS NOT NEW.custom_metadata
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (NEW.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;
CREATE TRIGGER scope_revisions_end_epoch AFTER DELETE ON scope_revisions
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (OLD.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;

-- What is said of objects counts among an organization's bytes.
CREATE TRIGGER usage_of_new_metadata AFTER INSERT ON scope_revisions WHEN NEW.custom_metadata <> '{}'
BEGIN
  INSERT INTO usage (org, bytes) VALUES (NEW.org, octet_length(NEW.custom_metadata)) ON CONFLICT (org) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER usage_of_changed_metadata AFTER UPDATE OF custom_metadata ON scope_revisions WHEN OLD.custom_metadata IS NOT NEW.custom_metadata
BEGIN
  INSERT INTO usage (org, bytes)
  VALUES (NEW.org, IIF(NEW.custom_metadata = '{}', 0, octet_length(NEW.custom_metadata)) - IIF(OLD.custom_metadata = '{}', 0, octet_length(OLD.custom_metadata)))
  ON CONFLICT (org) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER usage_of_old_metadata AFTER DELETE ON scope_revisions WHEN OLD.custom_metadata <> '{}'
BEGIN
  UPDATE usage SET bytes = bytes - octet_length(OLD.custom_metadata) WHERE org = OLD.org;
END;

-- Backups carry both.
DROP TRIGGER versions_update_noted;
CREATE TRIGGER versions_update_noted AFTER UPDATE OF secret_id, version, encoding, key_id, wrapped_key, ciphertext, kv_key, created_at, created_by, legacy_plaintext, size, org, scope_revision, is_json ON versions WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('versions', json_array(NEW.secret_id, NEW.version));
END;

CREATE TRIGGER scope_revisions_insert_noted AFTER INSERT ON scope_revisions WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('scope_revisions', json_array(NEW.org, NEW.scope));
END;
CREATE TRIGGER scope_revisions_update_noted AFTER UPDATE ON scope_revisions WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('scope_revisions', json_array(NEW.org, NEW.scope));
END;
CREATE TRIGGER scope_revisions_delete_noted AFTER DELETE ON scope_revisions WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('scope_revisions', json_array(OLD.org, OLD.scope));
END;
