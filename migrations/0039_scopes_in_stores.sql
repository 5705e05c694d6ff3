-- Scopes whose values are kept in a store outside: what is written there goes to `store`, under keys that begin with `prefix`.
CREATE TABLE scope_stores (
  org TEXT NOT NULL,
  scope TEXT NOT NULL,
  store TEXT NOT NULL,
  prefix TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  updated_by TEXT NOT NULL,
  seal TEXT,
  PRIMARY KEY (org, scope)
) STRICT, WITHOUT ROWID;
CREATE INDEX scope_stores_by_store ON scope_stores (org, store);

CREATE TRIGGER scope_stores_insert_noted AFTER INSERT ON scope_stores WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('scope_stores', json_array(NEW.org, NEW.scope));
END;
CREATE TRIGGER scope_stores_update_noted AFTER UPDATE ON scope_stores WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('scope_stores', json_array(NEW.org, NEW.scope));
END;
CREATE TRIGGER scope_stores_delete_noted AFTER DELETE ON scope_stores WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('scope_stores', json_array(OLD.org, OLD.scope));
END;

-- What was begun in a store and has not ended here yet: what it makes of the secret, without its value (`plan`, JSON). As long as a row
-- is there, nobody else changes the secret of that name.
CREATE TABLE store_writes (
  org TEXT NOT NULL,
  scope TEXT NOT NULL,
  name TEXT NOT NULL,
  operation TEXT NOT NULL UNIQUE,
  store TEXT NOT NULL,
  plan TEXT NOT NULL,
  at INTEGER NOT NULL,
  retry_at INTEGER NOT NULL,
  seal TEXT,
  PRIMARY KEY (org, scope, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX store_writes_by_retry ON store_writes (retry_at);
CREATE INDEX store_writes_by_store ON store_writes (org, store);

ALTER TABLE guard ADD COLUMN scope_in_store INTEGER CONSTRAINT scope_in_store CHECK (scope_in_store = 1);
ALTER TABLE guard ADD COLUMN store_in_use INTEGER CONSTRAINT store_in_use CHECK (store_in_use = 1);
ALTER TABLE guard ADD COLUMN store_write_pending INTEGER CONSTRAINT store_write_pending CHECK (store_write_pending = 1);
ALTER TABLE guard ADD COLUMN store_write_ended INTEGER CONSTRAINT store_write_ended CHECK (store_write_ended = 1);

CREATE TRIGGER secrets_insert_waits BEFORE INSERT ON secrets
WHEN EXISTS (SELECT 1 FROM store_writes WHERE org = NEW.org AND scope = NEW.scope AND name = NEW.name)
BEGIN
  INSERT INTO guard (store_write_pending) VALUES (0);
END;
CREATE TRIGGER secrets_update_waits BEFORE UPDATE OF revision ON secrets
WHEN NEW.revision IS NOT OLD.revision AND EXISTS (SELECT 1 FROM store_writes WHERE org = NEW.org AND scope = NEW.scope AND name = NEW.name)
BEGIN
  INSERT INTO guard (store_write_pending) VALUES (0);
END;
CREATE TRIGGER secrets_delete_waits BEFORE DELETE ON secrets
WHEN EXISTS (SELECT 1 FROM store_writes WHERE org = OLD.org AND scope = OLD.scope AND name = OLD.name)
BEGIN
  INSERT INTO guard (store_write_pending) VALUES (0);
END;
