-- What says that something has changed by which a resolve is answered: another random value after each such change, so that
-- a database that was put back has another one too. What is given again under a lease is given only while it is the same.
-- Which columns count is `decidingColumns` of the store, and a test compares.
CREATE TABLE epochs (
  org TEXT PRIMARY KEY,
  epoch TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER secrets_begin_epoch AFTER INSERT ON secrets
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (NEW.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;

CREATE TRIGGER secrets_end_epoch AFTER DELETE ON secrets
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (OLD.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;

CREATE TRIGGER secrets_change_epoch AFTER UPDATE OF org, id, scope, name, version, expires_at, locked, max_lease_seconds ON secrets
WHEN OLD.org IS NOT NEW.org OR OLD.id IS NOT NEW.id OR OLD.scope IS NOT NEW.scope OR OLD.name IS NOT NEW.name
  OR OLD.version IS NOT NEW.version OR OLD.expires_at IS NOT NEW.expires_at
  OR OLD.locked IS NOT NEW.locked OR OLD.max_lease_seconds IS NOT NEW.max_lease_seconds
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (NEW.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;

CREATE TRIGGER scopes_begin_epoch AFTER INSERT ON scopes WHEN NEW.parent IS NOT NULL
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (NEW.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;

CREATE TRIGGER scopes_end_epoch AFTER DELETE ON scopes WHEN OLD.parent IS NOT NULL
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (OLD.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;

CREATE TRIGGER scopes_change_epoch AFTER UPDATE OF org, scope, parent ON scopes
WHEN OLD.org IS NOT NEW.org OR OLD.scope IS NOT NEW.scope OR OLD.parent IS NOT NEW.parent
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (NEW.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;

-- What an event says of a lease, as JSON: of a resolve how long its values may be given again and how often, of its uses how
-- many there were.
ALTER TABLE audit_events ADD COLUMN lease TEXT;

-- Leases whose last count is not in the log: they are in use, or their last count has been lost and the log says so. It
-- follows from the log.
CREATE TABLE open_leases (
  org TEXT NOT NULL,
  id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  until INTEGER NOT NULL,
  max_uses INTEGER NOT NULL,
  uses INTEGER NOT NULL DEFAULT 0,
  unsettled_at INTEGER,
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX open_leases_by_end ON open_leases (until) WHERE unsettled_at IS NULL;
CREATE INDEX open_leases_unsettled ON open_leases (unsettled_at) WHERE unsettled_at IS NOT NULL;

CREATE TRIGGER leases_open AFTER INSERT ON audit_events WHEN NEW.lease IS NOT NULL AND NEW.action = 'secret.resolve'
BEGIN
  INSERT INTO open_leases (org, id, seq, until, max_uses)
  VALUES (NEW.org, NEW.lease ->> 'id', NEW.seq, NEW.lease ->> 'until', NEW.lease ->> 'max_uses');
END;

CREATE TRIGGER leases_count AFTER INSERT ON audit_events
WHEN NEW.lease IS NOT NULL AND NEW.action = 'secret.resolve.uses' AND NOT NEW.lease ->> 'final'
BEGIN
  UPDATE open_leases SET uses = MAX(uses, NEW.lease ->> 'uses') WHERE org = NEW.org AND id = NEW.lease ->> 'id';
END;

CREATE TRIGGER leases_close AFTER INSERT ON audit_events
WHEN NEW.lease IS NOT NULL AND NEW.action = 'secret.resolve.uses' AND NEW.lease ->> 'final'
BEGIN
  DELETE FROM open_leases WHERE org = NEW.org AND id = NEW.lease ->> 'id';
END;

CREATE TRIGGER leases_lose AFTER INSERT ON audit_events WHEN NEW.lease IS NOT NULL AND NEW.action = 'lease.unsettled'
BEGIN
  UPDATE open_leases SET unsettled_at = NEW.at WHERE org = NEW.org AND id = NEW.lease ->> 'id';
END;
