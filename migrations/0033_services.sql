-- Which hosts a value may be put into requests to (a JSON array), and whether some of them were brought with the value that is
-- current, by somebody who may not read it: those are not for another value, be it a new one or an older one.
ALTER TABLE secrets ADD COLUMN hosts TEXT NOT NULL DEFAULT '[]';
ALTER TABLE secrets ADD COLUMN hosts_brought INTEGER NOT NULL DEFAULT 0;

-- An epoch of its own kind, so that the trigger of before stays as it is.
CREATE TRIGGER secrets_hosts_change_epoch AFTER UPDATE OF hosts, hosts_brought ON secrets
WHEN OLD.hosts IS NOT NEW.hosts OR OLD.hosts_brought IS NOT NEW.hosts_brought
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (NEW.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;

-- What callers may use without reading: where requests go, what is put into them, and which are let through (`definition`, JSON).
CREATE TABLE services (
  org TEXT NOT NULL,
  name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  preset TEXT,
  definition TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  updated_by TEXT NOT NULL,
  seal TEXT,
  PRIMARY KEY (org, name)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER services_begin_epoch AFTER INSERT ON services
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (NEW.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;
CREATE TRIGGER services_end_epoch AFTER DELETE ON services
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (OLD.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;
CREATE TRIGGER services_change_epoch AFTER UPDATE OF org, name, revision, preset, definition, created_at, created_by, updated_at, updated_by ON services
WHEN OLD.org IS NOT NEW.org OR OLD.name IS NOT NEW.name OR OLD.revision IS NOT NEW.revision OR OLD.preset IS NOT NEW.preset
  OR OLD.definition IS NOT NEW.definition OR OLD.created_at IS NOT NEW.created_at OR OLD.created_by IS NOT NEW.created_by
  OR OLD.updated_at IS NOT NEW.updated_at OR OLD.updated_by IS NOT NEW.updated_by
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (NEW.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;

ALTER TABLE usage ADD COLUMN services INTEGER NOT NULL DEFAULT 0;
ALTER TABLE guard ADD COLUMN quota_services INTEGER CONSTRAINT quota_services CHECK (quota_services = 1);
CREATE TRIGGER usage_of_new_services AFTER INSERT ON services
BEGIN
  INSERT INTO usage (org, services) VALUES (NEW.org, 1) ON CONFLICT (org) DO UPDATE SET services = services + 1;
END;
CREATE TRIGGER usage_of_old_services AFTER DELETE ON services
BEGIN
  UPDATE usage SET services = services - 1 WHERE org = OLD.org;
END;

CREATE TRIGGER services_insert_noted AFTER INSERT ON services WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('services', json_array(NEW.org, NEW.name));
END;
CREATE TRIGGER services_update_noted AFTER UPDATE ON services WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('services', json_array(NEW.org, NEW.name));
END;
CREATE TRIGGER services_delete_noted AFTER DELETE ON services WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('services', json_array(OLD.org, OLD.name));
END;

-- Events that say of rows what they are: with those of services. The index of before (audit_events_on_rows) stays for the Worker of
-- before, which names it, until this one is deployed: a later migration takes it away.
CREATE INDEX audit_events_on_known_rows ON audit_events (org, seq) WHERE outcome = 'allowed' AND action IN (
  'secret.create', 'secret.update', 'secret.delete', 'secret.undelete', 'secret.purge', 'secret.rollback', 'secret.import',
  'token.create', 'token.exchange', 'trust.put', 'trust.delete', 'scope.put', 'scope.delete', 'keys.seal', 'log.restored', 'service.put', 'service.delete'
);
