-- Where values live outside: what is called, with which credentials, and which keys which scopes may have of it (`definition`, JSON).
CREATE TABLE stores (
  org TEXT NOT NULL,
  name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  definition TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  updated_by TEXT NOT NULL,
  seal TEXT,
  PRIMARY KEY (org, name)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER stores_begin_epoch AFTER INSERT ON stores
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (NEW.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;
CREATE TRIGGER stores_end_epoch AFTER DELETE ON stores
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (OLD.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;
CREATE TRIGGER stores_change_epoch AFTER UPDATE OF org, name, revision, definition, created_at, created_by, updated_at, updated_by ON stores
WHEN OLD.org IS NOT NEW.org OR OLD.name IS NOT NEW.name OR OLD.revision IS NOT NEW.revision
  OR OLD.definition IS NOT NEW.definition OR OLD.created_at IS NOT NEW.created_at OR OLD.created_by IS NOT NEW.created_by
  OR OLD.updated_at IS NOT NEW.updated_at OR OLD.updated_by IS NOT NEW.updated_by
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (NEW.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;

ALTER TABLE usage ADD COLUMN stores INTEGER NOT NULL DEFAULT 0;
ALTER TABLE guard ADD COLUMN quota_stores INTEGER CONSTRAINT quota_stores CHECK (quota_stores = 1);
CREATE TRIGGER usage_of_new_stores AFTER INSERT ON stores
BEGIN
  INSERT INTO usage (org, stores) VALUES (NEW.org, 1) ON CONFLICT (org) DO UPDATE SET stores = stores + 1;
END;
CREATE TRIGGER usage_of_old_stores AFTER DELETE ON stores
BEGIN
  UPDATE usage SET stores = stores - 1 WHERE org = OLD.org;
END;

CREATE TRIGGER stores_insert_noted AFTER INSERT ON stores WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('stores', json_array(NEW.org, NEW.name));
END;
CREATE TRIGGER stores_update_noted AFTER UPDATE ON stores WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('stores', json_array(NEW.org, NEW.name));
END;
CREATE TRIGGER stores_delete_noted AFTER DELETE ON stores WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('stores', json_array(OLD.org, OLD.name));
END;

-- Events that say of rows what they are: with those of stores. The index of before (audit_events_on_known_rows) stays for the Worker of
-- before, which names it, until this one is deployed: a later migration takes it away.
CREATE INDEX audit_events_on_all_rows ON audit_events (org, seq) WHERE outcome = 'allowed' AND action IN (
  'secret.create', 'secret.update', 'secret.delete', 'secret.undelete', 'secret.purge', 'secret.rollback', 'secret.import',
  'token.create', 'token.exchange', 'trust.put', 'trust.delete', 'scope.put', 'scope.delete', 'keys.seal', 'log.restored', 'service.put', 'service.delete',
  'store.put', 'store.delete'
);
